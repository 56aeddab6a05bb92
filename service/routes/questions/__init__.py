"""Routes for all jobs of a question."""
