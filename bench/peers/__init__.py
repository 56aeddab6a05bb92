"""Other job systems for comparison: the same work and the same faults, with the safest documented settings."""
