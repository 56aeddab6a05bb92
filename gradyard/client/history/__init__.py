"""Requests of the Client for what jobs left: curves, arrays, and the best of them."""
