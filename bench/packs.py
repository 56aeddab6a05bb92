"""A pack against the tutorial's own loop and against the core's limit, by stage and execution, in turn in one process.

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

from bench.core_limit import CoreLimit, Floor, core_limit, floor
from bench.report import Row, table, write_results
from bench.scripts import FIXED_START, START
from gradyard.jobs.numbers.draws import orders
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.stages.stage import Stage
from tests.tutorial_loops import LOOPS
from workers.runner.loop import segments
from workers.runner.machine import engines
from workers.runner.numerics import one_thread
from workers.trainers.compiled.blas import has_avx512

ROUNDS = 5
LOOP_SECONDS, PACK_SECONDS, LIMIT_SECONDS = 0.3, 0.6, 0.2  # in each round
POINTS = 2000
LEAST = {
    "eager": dict.fromkeys(STAGES, 10) | dict.fromkeys(("numpy", "tensor", "optim", "module"), 20),
    "compiled": {"numpy": 100, "tensor": 50} | dict.fromkeys(STAGES.keys() - {"numpy", "tensor"}, 150),
    "gram": dict.fromkeys(STAGES, 5000),
}  # fmt: skip
LEAST_SHARE = {"eager": {"numpy": 50}, "compiled": {"numpy": 30}}  # percent of the core's limit, on any processor
NOTES = f"""Microseconds for one step of one job on one core, with {POINTS:,} points and the stage's defaults except the
seed. The pack has the stage's full width. {ROUNDS} rounds of about a second, loop and pack in turn; median
(least-most). The time of compiling is not included: it happens once, before. The row `compiled pays from` gives the
number of job-steps (jobs times steps) on one worker at which a cold compile has saved its own time, compared with eager
packs of full width. Each stage has its own process and an empty folder for compiled programs.

The rows `of the core's limit` compare a pack with what this core can do, measured in the same rounds in the stage's
dtype: operations by numpy's product of square matrices, bytes by its sum of an array into another one, in the core's
own cache (`bench/core_limit.py`). The limit of a step is the longer of its two floors. `gram` looks at no point, so it
has none. The ratios of stage `numpy` have targets with AVX-512 only: there numpy's `x**3` takes three times as long as
without it, and so does the tutorial's loop (`bench/numpy_passes.py`). Its shares have targets on every processor."""


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
    return [*(row for each in found.values() for row in each.rows), Row(f"{name}, compiled pays from", pays)]


class _Measured(NamedTuple):
    rows: list[Row]
    microseconds: float  # of one step of one member
    prepare_seconds: float


class _Round(NamedTuple):
    alone: float  # microseconds of a step of the tutorial's loop
    packed: float  # of one member of the pack
    limit: CoreLimit


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
    rounds = [_Round(loop(), pack() / width, core_limit(dtype, LIMIT_SECONDS)) for _ in range(ROUNDS)]
    rows = [_against_loop(stage, execution, f"{stage.name}, {engine}, {width} members", rounds)]
    if execution != "gram":
        rows.append(_against_limit(stage, execution, engine, dtype, rounds))
    return _Measured(rows, median(each.packed for each in rounds), prepare_seconds)


def _against_loop(stage: Stage, execution: str, what: str, rounds: list[_Round]) -> Row:
    ratios = [each.alone / each.packed for each in rounds]
    alone, packed = median(each.alone for each in rounds), median(each.packed for each in rounds)
    measured = f"{median(ratios):,.0f}x ({min(ratios):,.0f}-{max(ratios):,.0f}): {alone:.0f} us by {packed:.3f} us"
    if stage.name == "numpy" and execution != "gram" and not has_avx512():
        return Row(what, measured)
    least = LEAST[execution][stage.name]
    return Row(what, measured, f">= {least:,}x", median(ratios) >= least)


def _against_limit(stage: Stage, execution: str, engine: str, dtype: str, rounds: list[_Round]) -> Row:
    floors = [floor(stage.name, engine, dtype, POINTS, each.limit) for each in rounds]
    shares = [100 * max(least) / each.packed for least, each in zip(floors, rounds, strict=True)]
    limit = CoreLimit(*(median(each) for each in zip(*(each.limit for each in rounds), strict=True)))
    middle = Floor(*(median(each) for each in zip(*floors, strict=True)))
    measured = f"{median(shares):.0f}% ({min(shares):.0f}-{max(shares):.0f}): {middle}; {dtype}: {limit}"
    what = f"{stage.name}, {engine}, of the core's limit"
    least = LEAST_SHARE[execution].get(stage.name)
    return Row(what, measured) if least is None else Row(what, measured, f">= {least}%", median(shares) >= least)


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
