"""Measurements of the running service beside other systems. They are not tests: no figure fails a build."""
