"""What happens to jobs and batches, told while it happens."""
