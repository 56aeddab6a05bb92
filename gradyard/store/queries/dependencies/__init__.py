"""What jobs wait for: how far that is, and in words."""
