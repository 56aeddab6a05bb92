"""Several maintenance processes of one host: `python -m tests.faults.maintenance_loops 9`.

Each but one is a fork of the first, which has loaded what they need: nine that start take two cores for ten seconds,
and what is promised in seconds would be measured beside that. They begin one after the other, as the first round of
each has its statements to compile: nine at once held SQLite's write lock for up to 0.9 s each on two cores.
"""

import os
import sys
import time

from workers import maintenance

APART_SECONDS = 0.5


def main() -> None:
    """Be one of that many maintenance processes. They are of one process group, and end with it."""
    for number in range(1, int(sys.argv.pop())):
        if os.fork() == 0:
            time.sleep(number * APART_SECONDS)
            break
    maintenance.main()


if __name__ == "__main__":
    main()
