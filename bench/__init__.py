"""Side-by-side measurements of the running service, for people. None is a test: no figure fails a build."""
