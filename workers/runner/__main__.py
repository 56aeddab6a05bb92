"""`python -m workers.runner`: the process that has torch. Its arguments are `main.py`'s."""

from workers.runner.main import main

if __name__ == "__main__":
    main()
