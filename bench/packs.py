"""A pack against the tutorial's own loop, by stage and execution. Both run in turn in one process.

python -m bench.packs [STAGE ...]
"""

import argparse
import importlib
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import Any, NamedTuple

from bench.report import Row, table, write_results
from bench.scripts import FIXED_START, START
from gradyard.jobs.numbers.draws import orders
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.stages.stage import Stage
from tests.tutorial_loops import LOOPS
from workers.runner.loop import segments
from workers.runner.machine import engines
from workers.runner.numerics import one_thread

ROUNDS = 5
LOOP_SECONDS, PACK_SECONDS = 0.3, 0.6  # in each round
POINTS = 2000
LEAST = {
    "eager": dict.fromkeys(STAGES, 10) | dict.fromkeys(("numpy", "tensor", "optim", "module"), 20),
    "compiled": {"numpy": 100, "tensor": 50} | dict.fromkeys(STAGES.keys() - {"numpy", "tensor"}, 150),
    "gram": dict.fromkeys(STAGES, 5000),
}  # fmt: skip
NOTES = f"""Microseconds for one step of one job on one core, with {POINTS:,} points and the stage's defaults except the
seed. The pack has the stage's full width. {ROUNDS} rounds of about a second, loop and pack in turn; median
(least-most). The time of compiling is not included: it happens once, before. The row `compiled pays from` gives the
number of job-steps (jobs times steps) on one worker at which a cold compile has saved its own time, compared with eager
packs of full width. Each stage has its own process and an empty folder for compiled programs."""


def main() -> None:
    """Measure, print, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", nargs="*", help="default: all stages")
    wanted = parser.parse_args().stages or list(STAGES)
    load, _, _ = os.getloadavg()
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        rows = [row for found in processes.map(_stage, wanted) for row in found]
    print(table(rows))
    if wanted == list(STAGES):
        write_results("Packs", "python -m bench.packs", NOTES, load, rows)


def _executions(stage: Stage) -> list[str]:
    plain = stage.spec(**_spec(stage, "eager", 0)).descends_a_quadratic
    return [each for each in stage.executions() if each != "gram" or plain]


def _spec(stage: Stage, execution: str, seed: int) -> dict[str, Any]:
    return {"stage": stage.name, "execution": execution, "seed": seed, "steps": 10_000_000}


def _stage(name: str) -> list[Row]:
    stage = STAGES[name]
    one_thread()
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as cold:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cold  # an earlier compile must not help
        found = {execution: _measure(stage, execution) for execution in _executions(stage)}
    eager, compiled = found["eager"], found["compiled"]
    steps = compiled.prepare_seconds * 1e6 / (eager.microseconds - compiled.microseconds)
    pays = f"{steps:,.0f} job-steps: {compiled.prepare_seconds:.1f} s to compile"
    return [*(each.row for each in found.values()), Row(f"{name}, compiled pays from", pays)]


class _Measured(NamedTuple):
    row: Row
    microseconds: float  # of one step of one member
    prepare_seconds: float


def _measure(stage: Stage, execution: str) -> _Measured:
    engine = stage.engine_for(execution, engines("cpu"))
    dtype = stage.defaults()["dtype"]
    width = stage.width(dtype, POINTS, engine)
    members = [stage.spec(**_spec(stage, execution, seed)).as_json() for seed in range(width)]
    module, _, name = stage.trainer_of(engine).partition(":")
    trainer = getattr(importlib.import_module(module), name)(members, "cpu")
    began = time.perf_counter()
    if hasattr(trainer, "prepare"):
        trainer.prepare()
    prepare_seconds = time.perf_counter() - began
    loop, pack = _loop(stage), pack_speed(trainer, PACK_SECONDS)
    loop(), pack()  # warm
    pairs = [(loop(), pack() / width) for _ in range(ROUNDS)]
    ratios = [alone / packed for alone, packed in pairs]
    alone, packed = (median(each) for each in zip(*pairs, strict=True))
    measured = f"{median(ratios):,.0f}x ({min(ratios):,.0f}-{max(ratios):,.0f}): {alone:.0f} us by {packed:.3f} us"
    least = LEAST[execution][stage.name]
    row = Row(f"{stage.name}, {engine}, {width} members", measured, f">= {least:,}x", median(ratios) >= least)
    return _Measured(row, packed, prepare_seconds)


def _loop(stage: Stage) -> Callable[[], float]:
    """A function that measures the tutorial's loop and returns its microseconds a step."""
    rate = stage.defaults()["learning_rate"]
    start = FIXED_START.get(stage.name, START) | ({"e": 0.0} if stage.name == "dynamic" else {})
    steps = 200

    def measure() -> float:
        nonlocal steps
        drawn = (orders(0, 0, steps),) if stage.name == "dynamic" else ()
        began = time.perf_counter()
        LOOPS[stage.name](start, steps, rate, *drawn)
        seconds = time.perf_counter() - began
        result = seconds / steps * 1e6
        steps = max(50, int(steps * LOOP_SECONDS / seconds))
        return result

    return measure


def pack_speed(trainer: Any, least_seconds: float) -> Callable[[], float]:
    """A function that trains the pack for `least_seconds` and returns microseconds for a step of the whole pack."""
    run = segments(trainer, steps=10_000_000, seconds=least_seconds / 3)

    def measure() -> float:
        steps, seconds = 0, 0.0
        while seconds < least_seconds:
            segment = next(run)
            steps += segment.losses.shape[1]
            seconds += segment.seconds
        return seconds / steps * 1e6

    return measure


if __name__ == "__main__":
    main()
