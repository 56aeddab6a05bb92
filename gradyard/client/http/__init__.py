"""How requests travel: retries, the two ways of waiting, refusals."""
