"""Who calls, of which project, and what that caller may."""
