"""`python -m workers.pool`: a whole host's workers. `gradyard worker` runs it."""

from workers.pool.pool import main

if __name__ == "__main__":
    main()
