"""The supervisor's side of a runner: start it, talk to it, end it."""
