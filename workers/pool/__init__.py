"""One command for a whole host: its slots, the locks on them, and the GPUs that it has."""
