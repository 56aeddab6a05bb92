"""How fast the API answers `/healthz` while it accepts a batch of the greatest allowed size.

python -m bench.alive
"""

import os
import threading
import time

import httpx
import numpy as np

from bench.report import Row, table, write_results
from bench.service import service

MOST_JOBS = 100_000  # of one batch
NOTES = f"""One client sends a sweep of {MOST_JOBS:,} `autograd` jobs to the one API process of `gradyard up` on SQLite;
another asks `/healthz` on a connection of its own, ten milliseconds after each answer, until the batch is accepted."""


def main() -> None:
    """Measure, print, and write the results down."""
    load, _, _ = os.getloadavg()
    rows = [_measure()]
    print(table(rows))
    write_results("The API under a large batch", "python -m bench.alive", NOTES, load, rows)


def _measure() -> Row:
    with service(cpu_slots=1) as client:
        sweep = {"spec": {"stage": "autograd", "pool": "without-workers"}, "grid": {"seed": {"stop": MOST_JOBS}}}
        taken: list[float] = []

        def submit() -> None:
            began = time.perf_counter()
            with httpx.Client(base_url=client.base_url, timeout=120, trust_env=False) as other:
                other.post("/v1/batches", json=sweep).raise_for_status()
            taken.append(time.perf_counter() - began)

        thread = threading.Thread(target=submit)
        thread.start()
        waits = []
        while thread.is_alive():
            began = time.perf_counter()
            client.get("/healthz").raise_for_status()
            waits.append(time.perf_counter() - began)
            time.sleep(0.01)
        thread.join()
    middle, late = 1000 * np.quantile(waits, [0.5, 0.99])
    measured = f"{taken[0]:.1f} s; p50 {middle:.0f} ms, p99 {late:.0f} ms of {len(waits)} requests"
    return Row(f"{MOST_JOBS:,} jobs accepted, /healthz meanwhile", measured, "p99 <= 100 ms", bool(late <= 100))


if __name__ == "__main__":
    main()
