"""How many requests a key and a project may send."""
