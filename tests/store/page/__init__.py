"""What the page asks of the database."""
