"""The cookie of a browser that a key has signed in to the page."""
