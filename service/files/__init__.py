"""Files of the caller: received and stored, and found for what a request submits."""
