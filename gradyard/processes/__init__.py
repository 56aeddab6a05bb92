"""Child processes that end with their parent. The standard library alone, so that everything may stand on it."""
