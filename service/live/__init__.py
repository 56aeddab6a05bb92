"""What requests wait for: one thread of each API process looks for all of them."""
