"""`gradyard-faults`: the fault runner; it lives with the tests, since it starts servers that no installation brings."""

import os
import sys
from pathlib import Path

CLONE = Path(__file__).parents[1]


def main() -> None:
    """Become `python -m tests.stack.faults` with the same arguments; SystemExit where there is no clone around us."""
    if not (CLONE / "tests" / "stack" / "faults").is_dir():
        sys.exit("gradyard-faults runs in a clone of the repository, after `make test` has set it up there")
    os.chdir(CLONE)
    os.execv(sys.executable, [sys.executable, "-m", "tests.stack.faults", *sys.argv[1:]])
