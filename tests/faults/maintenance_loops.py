"""Several maintenance processes of one host: `python -m tests.faults.maintenance_loops 9`.

Each but one is a fork of the first, which has loaded what they need: nine that start take two cores for ten seconds,
and what is promised in seconds would be measured beside that.
"""

import os
import sys

from workers import maintenance


def main() -> None:
    """Be one of that many maintenance processes. They are of one process group, and end with it."""
    for _ in range(int(sys.argv.pop()) - 1):
        if os.fork() == 0:
            break
    maintenance.main()


if __name__ == "__main__":
    main()
