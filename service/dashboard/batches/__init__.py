"""Pages of batches: the list, one batch, and the figures that its charts draw."""
