"""What the members of a pack are trained on: found, read, and sent to the runner once each."""
