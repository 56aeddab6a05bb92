"""`python -m gradyard` is `gradyard`."""

from gradyard.cli.main import main

if __name__ == "__main__":
    main()
