"""Rows of the database as the answers that clients read."""
