"""What a job may ask for: one model a stage, its data, its loss and optimizer, and sweeps over them."""
