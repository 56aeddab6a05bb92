"""Child processes that end with their parent, and threads that can be given up.

They import the standard library alone, so every package may use them.
"""
