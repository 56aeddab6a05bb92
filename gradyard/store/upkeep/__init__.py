"""Care for the database as a whole: space that is given back, its size, its copies, and who uses it."""
