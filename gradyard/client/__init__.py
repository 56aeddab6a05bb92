"""The Client: a gradyard service from Python, over HTTP."""
