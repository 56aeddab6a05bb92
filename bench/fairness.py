"""How long single jobs of one project wait while 100,000 jobs of another project are queued.

python -m bench.fairness
"""

import os
import time
from datetime import datetime
from typing import Any

import httpx
import numpy as np

from bench.report import Row, table, write_results
from bench.service import service

BATCH, SINGLES, EVERY_SECONDS = 100_000, 60, 1.0
LIMIT_SECONDS = 30.0
NOTES = f"""{BATCH:,} `autograd` jobs (2,000 steps on 2,000 points) of one project are queued, on SQLite. Then a job of
another project is submitted every {EVERY_SECONDS:g} s, {SINGLES} in all. It has another number of steps, so it is never
packed with the batch. Its wait is from `submitted_at` to `started_at`. In the order of submission it would wait for
the whole batch."""


def main() -> None:
    """Measure, print, and write the results down."""
    load_average, _, _ = os.getloadavg()
    rows = [_measure(slots) for slots in (1, 2)]
    print(table(rows))
    write_results("Fairness", "python -m bench.fairness", NOTES, load_average, rows)


def _measure(slots: int) -> Row:
    with service(cpu_slots=slots) as client:
        large, small = _key(client, "large"), _key(client, "small")
        sweep = {"spec": {"stage": "autograd"}, "grid": {"seed": {"stop": BATCH}}}
        answer = client.post("/v1/batches", json=sweep, headers=large, timeout=120).raise_for_status()
        waits = _waits(client, small)
        left = client.get(answer.headers["Location"], headers=large).json()["counts"]["queued"]
    middle, late = np.quantile(waits, [0.5, 0.99])
    measured = f"p50 {middle:.1f} s, p99 {late:.1f} s of {len(waits)}; {left:,} of the batch were queued at the end"
    name = f"{slots} slot{'s' * (slots > 1)}"
    return Row(name, measured, f"p99 <= {LIMIT_SECONDS:g} s", bool(late <= LIMIT_SECONDS and left > 0))


def _key(client: httpx.Client, project: str) -> dict[str, str]:
    made = client.post("/v1/keys", json={"name": "bench", "project": project}).raise_for_status()
    return {"Authorization": f"Bearer {made.json()['key']}"}


def _waits(client: httpx.Client, key: dict[str, str]) -> list[float]:
    jobs, begin = [], time.monotonic()
    for number in range(SINGLES):
        time.sleep(max(0.0, begin + number * EVERY_SECONDS - time.monotonic()))
        spec = {"stage": "autograd", "steps": 1999, "seed": number}
        jobs.append(client.post("/v1/jobs", json=spec, headers=key).raise_for_status().headers["Location"])
    return [_wait(client, job, key) for job in jobs]


def _wait(client: httpx.Client, location: str, key: dict[str, str]) -> float:
    job = client.get(location, params={"wait": int(2 * LIMIT_SECONDS)}, headers=key, timeout=3 * LIMIT_SECONDS).json()
    if job["started_at"] is None:
        return float("inf")
    return (_moment(job["started_at"]) - _moment(job["submitted_at"])).total_seconds()


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(text)


if __name__ == "__main__":
    main()
