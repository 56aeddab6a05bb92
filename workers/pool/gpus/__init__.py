"""The GPUs of a host: what NVML, or a list written for tests, tells of them."""
