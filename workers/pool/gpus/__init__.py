"""The GPUs of a host: as NVML or a list written for tests reports them."""
