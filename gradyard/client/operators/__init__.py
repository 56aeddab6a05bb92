"""Requests of the Client for those who keep a service or a project: keys, workers, storage, the audit."""
