"""The width of a pack at which a member trains fastest, by stage and dtype.

The `pack_bytes` of the built-in stages (gradyard/jobs/stages/builtin.py) come from it.

python -m bench.widths [STAGE ...]
"""

import argparse
import importlib
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from bench.packs import POINTS, pack_speed
from bench.report import Row, table, write_results
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.stages.stage import Stage
from workers.runner.numerics import one_thread

WIDTHS = (1, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
SECONDS = 0.25
ROUNDS = 3
NEAR = 1.03  # the narrowest width within this factor of the fastest is best, as it leaves more jobs to other slots
CORES = len(os.sched_getaffinity(0))
NOTES = f"""Microseconds for one step of one member, {POINTS:,} points, eager, while each of {CORES} cores trains such a
pack, as on a busy host: the cores share a cache. The least of {ROUNDS} rounds of {SECONDS} s each, all widths in turn,
on the slowest core. The last column is the width that gradyard uses."""


def main() -> None:
    """Measure, print, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", help="default: all stages")
    wanted = parser.parse_args().stages or list(STAGES)
    load, _, _ = os.getloadavg()
    with ProcessPoolExecutor(CORES, get_context("spawn"), initializer=one_thread) as processes:
        rows = [_row(processes, STAGES[name], dtype) for name in wanted for dtype in ("float32", "float64")]
    print(table(rows))
    if wanted == list(STAGES):
        write_results("Widths", "python -m bench.widths", NOTES, load, rows)


def _row(processes: ProcessPoolExecutor, stage: Stage, dtype: str) -> Row:
    by_core = list(processes.map(_measure, [stage.name] * CORES, [dtype] * CORES))
    best = {width: max(each[width] for each in by_core) for width in WIDTHS}
    sweet = next(width for width in WIDTHS if best[width] <= NEAR * min(best.values()))
    shown = ", ".join(f"{width}: {best[width]:.2f}" for width in WIDTHS)
    return Row(f"{stage.name}, {dtype}: {sweet}", shown, f"{stage.width(dtype, POINTS)}")


def _measure(name: str, dtype: str) -> dict[int, float]:
    """Microseconds of a step of one member, by width. Runs in its own process."""
    stage = STAGES[name]
    measures = {width: pack_speed(_trainer(stage, dtype, width), SECONDS) for width in WIDTHS}
    for measure in measures.values():
        measure()  # warm
    took = {width: [] for width in WIDTHS}  # type: dict[int, list[float]]
    for _ in range(ROUNDS):
        for width, measure in measures.items():
            took[width].append(measure() / width)
    return {width: min(each) for width, each in took.items()}


def _trainer(stage: Stage, dtype: str, width: int) -> Any:
    spec: dict[str, Any] = {"stage": stage.name, "dtype": dtype, "steps": 10_000_000}
    members = [stage.spec(**spec, seed=seed).as_json() for seed in range(width)]
    module, _, name = stage.trainer.partition(":")
    return getattr(importlib.import_module(module), name)(members, "cpu")


if __name__ == "__main__":
    main()
