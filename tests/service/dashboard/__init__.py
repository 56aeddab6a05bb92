"""The page as HTML, without a browser."""
