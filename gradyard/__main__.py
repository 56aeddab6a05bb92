"""`python -m gradyard` runs the `gradyard` command."""

from gradyard.cli.main import main

if __name__ == "__main__":
    main()
