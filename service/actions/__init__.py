"""All jobs of a question are cancelled, retried, deleted or tagged."""
