"""The engines beside eager: graphs of torch, sufficient statistics (gram), matrix products (blas)."""
