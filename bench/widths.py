"""How wide a pack trains a member fastest, by stage and dtype: where the `pack_bytes` of the
built-in stages (gradyard/jobs/stages/builtin.py) come from.

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
NEAR = 1.03  # of the fastest: the narrowest such width is taken, for it leaves more to other slots
CORES = len(os.sched_getaffinity(0))
NOTES = f"""Microseconds for one step of one member, {POINTS:,} points, eager, while every one of {CORES} cores trains
such a pack, as on a busy host: they share a cache. The least of {ROUNDS} rounds of {SECONDS} s each, all widths in
turn, of the slowest core. The last column is what gradyard/jobs/stages/registry.py says."""


def main() -> None:
    """Measure, print, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", help="all, if none is named")
    wanted = parser.parse_args().stages or list(STAGES)
    load, _, _ = os.getloadavg()
    with ProcessPoolExecutor(CORES, get_context("spawn"), initializer=one_thread) as processes:
        rows = [_row(processes, STAGES[name], dtype) for name in wanted for dtype in ("float32", "float64")]
    print(table(rows))
    if wanted == list(STAGES):
        write_results("Widths", "python -m bench.widths", NOTES, load, rows)


def _row(processes: ProcessPoolExecutor, stage: Stage, dtype: str) -> Row:
    found = list(processes.map(_measure, [stage.name] * CORES, [dtype] * CORES))
    best = {width: max(each[width] for each in found) for width in WIDTHS}
    sweet = next(width for width in WIDTHS if best[width] <= NEAR * min(best.values()))
    shown = ", ".join(f"{width}: {best[width]:.2f}" for width in WIDTHS)
    return Row(f"{stage.name}, {dtype}: {sweet}", shown, f"{stage.width(dtype, POINTS)}")


def _measure(name: str, dtype: str) -> dict[int, float]:
    """By width, microseconds of a step of one member, in a process of its own."""
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
