"""`python -m workers.pool`: a whole host's workers. `gradyard worker` runs it."""

from gradyard.processes.loading import load

if __name__ == "__main__":
    load("workers.pool.pool").main()
