"""Questions to the history, answered by the database."""
