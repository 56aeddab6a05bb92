"""The Flask process: HTTP in, JSON and pages out. It knows jobs, never torch and never workers."""
