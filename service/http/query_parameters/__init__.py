"""The parameters of queries about many jobs."""
