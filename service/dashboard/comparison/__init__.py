"""The page that compares jobs: their curves over one another, and what differs in what was asked and what came out."""
