"""What a supervisor allows a runner and keeps of its output."""
