"""Starts a runner, talks to it, and ends it: the supervisor's side."""
