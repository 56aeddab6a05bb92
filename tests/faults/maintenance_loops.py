"""Several maintenance processes of one host: `python -m tests.faults.maintenance_loops 9 3.0`, one every three seconds.

Each but one is a fork of the first, which has loaded what they need: nine that start take two cores for ten seconds,
and what is promised in seconds would be measured beside that. They begin one after the other, as the first round of
each has its statements to compile: of nine at once on two cores each held SQLite's write lock for up to 1.8 s.
"""

import os
import sys
import time

from workers import maintenance


def main() -> None:
    """Be one of that many maintenance processes. They are of one process group, and end with it."""
    seconds_apart, count = float(sys.argv.pop()), int(sys.argv.pop())
    for number in range(1, count):
        if os.fork() == 0:
            time.sleep(number * seconds_apart)
            break
    maintenance.main()


if __name__ == "__main__":
    main()
