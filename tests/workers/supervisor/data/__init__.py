"""Tests of what the members of a pack are trained on."""
