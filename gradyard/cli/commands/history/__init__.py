"""Commands for what jobs left: curves, arrays, and the best of them."""
