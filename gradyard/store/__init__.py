"""The database, and all that is done in it: tables, every change of a job, every read, the fleet."""
