"""What is computed from a spec when it is submitted: scaling, rates, what least squares reaches, and warnings."""
