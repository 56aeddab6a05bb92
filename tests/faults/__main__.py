"""`python -m tests.faults`: puts faults into a service, prints a report, and exits with 1 if a check failed."""

import argparse
import signal
import sys
import time

from tests.faults.lanes import FAULTS
from tests.faults.plans import plan_of
from tests.faults.run import run

MUTANTS = (
    "no-fence", "no-resume", "no-place", "no-machine", "no-silence-limit", "no-codes", "no-clock-watch", "no-condition",
)  # fmt: skip


def main() -> None:
    """Run the faults that the arguments name."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # `sys.exit` runs the clean-up
    began = time.monotonic()
    report = run(plan_of(options), lambda words: print(f"[{time.monotonic() - began:5.0f} s] {words}", flush=True))
    print("\n".join(report.lines()))
    sys.exit(1 if report.failures() else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Put faults into a whole service, then prove from its database that nothing was lost.",
    )
    parser.add_argument("--jobs", type=int, default=200, help="how many jobs to submit (200)")
    parser.add_argument(
        "--faults",
        default="F1,F2,F4,F5,F8,F11,F14,F16,F25",
        help="kinds of faults, separated by commas; F19: all of them",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the jobs and of the faults (1)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument(
        "--form", choices=["full", "short"], default="full", help="short: a lease of 3 s and small jobs"
    )
    parser.add_argument("--minutes", type=float, default=None, help="spread the jobs over this many minutes")
    parser.add_argument("--pauses", type=float, default=1.0, help="factor of the pause between two faults (1)")
    parser.add_argument(
        "--mutant",
        choices=MUTANTS,
        help="remove a safeguard; the run must fail",
    )
    options = parser.parse_args()
    options.faults = tuple(FAULTS) if options.faults == "F19" else tuple(options.faults.split(","))
    if unknown := [name for name in options.faults if name not in FAULTS]:
        parser.error(f"no fault is named {unknown[0]}; there are {', '.join(FAULTS)} and F19")
    return options


if __name__ == "__main__":
    main()
