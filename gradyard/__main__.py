"""`python -m gradyard` is `gradyard`."""

from gradyard.command import main

if __name__ == "__main__":
    main()
