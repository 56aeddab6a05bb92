"""What arrives: whether it is a request at all, and whether all of it is here, before any view sees it."""
