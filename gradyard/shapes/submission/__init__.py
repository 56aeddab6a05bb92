"""What a submission would be."""
