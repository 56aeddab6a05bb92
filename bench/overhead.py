"""The overhead of the service for one job, and one job against the tutorial's loop as a process.

    make bench    (or: python -m bench.overhead)

It starts its own stack with one CPU slot, takes a minute or two, and writes `bench/RESULTS.md`.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np

from bench.peers.celery_worker import celery_worker
from bench.report import Row, table, write_results
from bench.scripts import run_script, write_script
from bench.service import Timed, service, train
from service.live.waits import AT_FIRST_SECONDS

JOBS = 200
WARM_UP_JOBS = 20
ROUNDS = 3
STAGES = ("numpy", "tensor", "autograd", "function", "nn", "optim", "module")
MOST_OVERHEAD_MS = 15.0
MOST_OF_A_TASK = 3.0
POLL_SECONDS = AT_FIRST_SECONDS  # Celery's default is half a second
LEAST_RATIO = 5.0

NO_OP: dict[str, Any] = {
    "stage": "tensor", "steps": 1, "dataset": {"kind": "function", "function": "sin", "points": 3},
}  # fmt: skip
SPECS: dict[str, dict[str, Any]] = {"no-op (tensor, 1 step, 3 points)": NO_OP, "tensor, defaults": {"stage": "tensor"}}

NOTES = f"""Overhead is the time of the client from sending POST to reading `succeeded` through `GET ?wait=`, minus
`train_seconds`: {JOBS} jobs one after another on one open connection, on SQLite, after {WARM_UP_JOBS} to warm up.
The ratio is the time of `python stage_NAME.py` (the tutorial's own loop, with the start of Python and its imports),
divided by that of a warm job of the same stage from POST to result. {ROUNDS} rounds, both in turn; median (least-most).
Against a plain Celery task: the overhead of the no-op job, as a multiple of `one_loss.delay().get()` of a task that
returns a list of one number, with a Redis as broker that syncs each write to disk, as SQLite does. Results are in the
same Redis, or in a SQLite file by Celery's own backend for SQL, asked every {1000 * POLL_SECONDS:g} ms as ours is;
{JOBS} of each in turn, p50."""


def main() -> None:
    """Measure, print, and write the results down."""
    load, _, _ = os.getloadavg()
    with service() as client:
        rows = [*_overheads(client), *(_against_a_task(client, in_sql) for in_sql in (False, True)), *_ratios(client)]
    print(table(rows))
    write_results("What the service costs", "make bench", NOTES, load, rows)


def _overheads(client: httpx.Client) -> Iterator[Row]:
    for name, spec in SPECS.items():
        for _ in range(WARM_UP_JOBS):
            train(client, spec)
        timed = [train(client, spec) for _ in range(JOBS)]
        middle, late, latest = _percentiles([each.overhead_seconds for each in timed])
        measured = f"p50 {middle:.1f} ms, p90 {late:.1f} ms, p99 {latest:.1f} ms"
        target = f"p50 <= {MOST_OVERHEAD_MS:g} ms"
        yield Row(f"overhead: {name}", measured, target, middle <= MOST_OVERHEAD_MS)
        yield Row(f"of it, p50: {name}", _where_it_goes(timed))


def _against_a_task(client: httpx.Client, in_sql: bool) -> Row:
    ours, theirs = list[float](), list[float]()
    with celery_worker(is_durable=True, in_sql=in_sql) as peer:
        peer.start_worker()
        for number in range(WARM_UP_JOBS + JOBS):
            began = time.perf_counter()
            peer.tasks.one_loss.delay().get(interval=POLL_SECONDS)  # where its backend polls, that of SQL
            seconds = time.perf_counter() - began
            job = train(client, NO_OP)
            if number >= WARM_UP_JOBS:
                theirs.append(seconds)
                ours.append(job.overhead_seconds)
    (middle, _, _), (peers, _, _) = _percentiles(ours), _percentiles(theirs)
    measured = f"{middle / peers:.1f}x: {middle:.1f} ms against {peers:.1f} ms"
    what = f"no-op job against a plain Celery task stored in {'SQLite' if in_sql else 'Redis'}"
    return Row(what, measured, f"<= {MOST_OF_A_TASK:g}x", middle / peers <= MOST_OF_A_TASK)


def _where_it_goes(timed: Sequence[Timed]) -> str:
    parts = {
        "POST answered": [each.post_seconds for each in timed],
        "submitted to claimed": [each.queued_seconds for each in timed],
        "claimed to stored, less training": [each.held_seconds for each in timed],
    }  # fmt: skip
    return "; ".join(f"{name} {_percentiles(seconds)[0]:.1f} ms" for name, seconds in parts.items())


def _percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p90 and p99 in milliseconds."""
    middle, late, latest = 1000 * np.percentile(seconds, [50, 90, 99])
    return float(middle), float(late), float(latest)


def _ratios(client: httpx.Client) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder:
        for stage in STAGES:
            script = write_script(stage, Path(folder))
            train(client, {"stage": stage})  # warm
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(train(client, {"stage": stage}).seconds)
                theirs.append(run_script(script))
            yield _ratio(stage, ours, theirs)


def _ratio(stage: str, ours: Sequence[float], theirs: Sequence[float]) -> Row:
    ratios = [process / job for process, job in zip(theirs, ours, strict=True)]
    measured = (
        f"{median(ratios):.1f}x ({min(ratios):.1f}-{max(ratios):.1f}): "
        f"{1000 * median(theirs):.0f} ms by {1000 * median(ours):.0f} ms"
    )
    return Row(f"{stage}: process / warm job", measured, f">= {LEAST_RATIO:g}x", median(ratios) >= LEAST_RATIO)


if __name__ == "__main__":
    main()
