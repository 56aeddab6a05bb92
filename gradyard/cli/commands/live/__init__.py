"""Commands that follow what happens until it has ended."""
