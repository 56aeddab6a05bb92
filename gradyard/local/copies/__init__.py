"""Copies of the whole database: a backup in a file, and the way back. Every refusal is one line."""
