"""The models that the stages fit, and what their trainers have in common."""
