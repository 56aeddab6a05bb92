"""The overhead of the service for one job, and one job against the tutorial's loop as a process.

    make bench    (or: python -m bench.overhead)

It starts its own stack with one CPU slot, takes a minute or two, and writes `bench/RESULTS.md`.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np

from bench.report import Row, table, write_results
from bench.scripts import run_script, write_script
from bench.service import Timed, service, train

JOBS = 200
WARM_UP_JOBS = 20
ROUNDS = 3
STAGES = ("numpy", "tensor", "autograd", "function", "nn", "optim", "module")
MOST_OVERHEAD_MS = 15.0
LEAST_RATIO = 5.0

SPECS: dict[str, dict[str, Any]] = {
    "no-op (tensor, 1 step, 3 points)": {
        "stage": "tensor", "steps": 1, "dataset": {"kind": "function", "function": "sin", "points": 3},
    },
    "tensor, defaults": {"stage": "tensor"},
}  # fmt: skip

NOTES = f"""Overhead is the time of the client from sending POST to reading `succeeded` through `GET ?wait=`, minus
`train_seconds`: {JOBS} jobs one after another on one open connection, on SQLite, after {WARM_UP_JOBS} to warm up.
The ratio is the time of `python stage_NAME.py` (the tutorial's own loop, with the start of Python and its imports) over
that of a warm job of the same stage from POST to result. {ROUNDS} rounds, both in turn; median (least-most)."""


def main() -> None:
    """Measure, print, and write the results down."""
    load, _, _ = os.getloadavg()
    with service() as client:
        rows = [*_overheads(client), *_ratios(client)]
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
