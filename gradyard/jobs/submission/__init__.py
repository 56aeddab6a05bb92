"""From the bytes of a request to a job, or a batch of jobs, that may be stored."""
