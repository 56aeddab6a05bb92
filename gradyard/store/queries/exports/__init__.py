"""What an export reads: which jobs it is of, once, and then their rows slice by slice."""
