"""Pictures and formulas that need no script: small curves, a job's time, its model, mathematics."""
