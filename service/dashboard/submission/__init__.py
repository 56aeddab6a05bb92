"""The page on which jobs and sweeps are submitted: a form made of a stage's JSON Schema."""
