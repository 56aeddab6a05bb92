"""What commands show while jobs train: a curve that grows, counts, lines of JSON."""
