"""Pictures and formulas that need no script."""
