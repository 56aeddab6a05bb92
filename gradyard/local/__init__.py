"""A whole stack on one machine: what `gradyard up` and `gradyard demo` start."""
