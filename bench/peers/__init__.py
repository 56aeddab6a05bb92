"""Other job systems doing the same work under the same faults, each in its best documented settings."""
