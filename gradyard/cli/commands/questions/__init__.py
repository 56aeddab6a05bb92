"""Commands about all jobs of a question, and changes of one job."""
