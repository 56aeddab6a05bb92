"""Sums whose shape does not depend on a pack's width, workspaces, and transfers to and from a device."""
