"""The process that claims packs and stores what becomes of them. It has the database and no torch."""
