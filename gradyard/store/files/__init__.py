"""Files: their rows, and where the content of the larger ones is kept."""
