"""Bodies of requests that submit nothing new: read, and checked by their models."""
