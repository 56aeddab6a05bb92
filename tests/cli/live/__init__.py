"""Tests of what commands show while jobs train."""
