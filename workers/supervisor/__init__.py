"""Claims packs, has them trained, and stores their records. This process has the database and no torch."""
