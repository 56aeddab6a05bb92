"""The workers of one host: a slot for each GPU and for some CPU cores, each a process that is kept running."""
