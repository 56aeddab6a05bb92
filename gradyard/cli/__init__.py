"""The `gradyard` command."""
