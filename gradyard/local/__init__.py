"""A whole stack on one machine, as `gradyard up` and `gradyard demo` start it."""
