"""The page on which jobs are submitted."""
