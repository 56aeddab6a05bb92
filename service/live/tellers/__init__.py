"""What a stream tells of each thing that it is about: a job, a batch, a project."""
