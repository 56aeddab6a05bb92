"""What a job has found: its curves, its arrays, and what its model says at other points."""
