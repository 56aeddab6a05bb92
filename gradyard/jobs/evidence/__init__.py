"""How it is shown that a result is what it is said to be: by training again, and by hashes."""
