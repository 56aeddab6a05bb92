"""Workers, the holds on them, their counters, and what each of them may claim."""
