"""The cost of a step on a GPU by width, and ten thousand jobs against the tutorial's loop on the same GPU.

python -m bench.gpu
"""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import httpx
import torch

from bench.report import Row, write_results
from bench.scripts import START
from bench.service import service
from gradyard.jobs.stages.registry import stage_named
from tests.tutorial_loops import LOOPS
from workers.runner.numerics import gpu_environment, same_bits_on_gpu
from workers.trainers import stage3_autograd
from workers.trainers.compiled import cuda_graph
from workers.trainers.contract import RunsSteps, Trainer

JOBS, STEPS, ROUNDS = 10_000, 2000, 3
LEAST = 1000
WIDTHS = (1, 32, 64, 128, 256, 512, 1024, 4096)
NOTES = f"""Nanoseconds of one step of one member by the width of the pack, without a service. Then {JOBS:,} `autograd`
jobs ({STEPS:,} steps on 2,000 points, float32) from the POST of a sweep over seeds until every result and loss is in
SQLite, against {JOBS:,} times the seconds of the tutorial's loop on the same GPU. {ROUNDS} rounds, both in turn; median
(least-most)."""

Members = list[dict[str, Any]]
Make = Callable[[Members], Trainer | RunsSteps]


def main() -> None:
    """Measure. Print and store each result at once, so that an interrupt (SIGINT) loses only the running one."""
    load, _, _ = os.getloadavg()
    where = f"GPU: {torch.cuda.get_device_name()}. " if torch.cuda.is_available() else ""
    rows: list[Row] = []
    try:
        for row in _rows():
            rows.append(row)
            print(f"| {' | '.join(row.cells())} |", flush=True)
            write_results("On a GPU", "python -m bench.gpu", where + NOTES, load, rows)
    except KeyboardInterrupt:
        sys.exit(f"interrupted: {len(rows)} results are stored, the rest was not measured")


def _rows() -> Iterator[Row]:
    """Widths come first: the service takes longest, and an interrupted measurement of it gives no result."""
    if not torch.cuda.is_available():
        yield Row("all measurements", "not run: torch sees no GPU on this machine")
        return
    os.environ.update(gpu_environment())
    same_bits_on_gpu(allow_tf32=False)
    for width in WIDTHS:
        yield Row(f"a step of a member, {width:,} wide", ", ".join(_forms(width)))
    yield from _jobs()


def _forms(width: int) -> Iterator[str]:
    for name, make in (("eager", _eager), ("cudagraph", _graph)):
        try:
            yield f"{name} {_nanoseconds(make, width):,.0f} ns"
        except RuntimeError as error:  # an error of CUDA or torch: the other form and widths may still work
            yield f"{name} failed: {type(error).__name__}: {str(error).splitlines()[0][:100]}"
        gc.collect()
        torch.cuda.empty_cache()


def _jobs() -> Iterator[Row]:
    with service(gpus="0") as client:  # one GPU, as for the loop
        for execution in ("eager", "compiled"):
            yield _ratio(client, execution)


def _ratio(client: httpx.Client, execution: str) -> Row:
    _batch(client, execution, 64)  # warm: the runner has torch and a context
    pairs = []
    for _ in range(ROUNDS):
        pairs.append((_batch(client, execution, JOBS), _loop() * JOBS))
        print("{execution}: {:.1f} s, the loop {:,.0f} s".format(*pairs[-1], execution=execution), flush=True)
    ratios = [theirs / ours for ours, theirs in pairs]
    ours = median(each for each, _ in pairs)
    measured = (
        f"{median(ratios):,.0f}x ({min(ratios):,.0f}-{max(ratios):,.0f}): {ours:.1f} s, {JOBS / ours:,.0f} jobs/s"
    )
    return Row(f"{JOBS:,} jobs, {execution}", measured, f">= {LEAST:,}x", median(ratios) >= LEAST)


def _batch(client: httpx.Client, execution: str, jobs: int) -> float:
    """Seconds from the POST of a sweep until all its jobs have succeeded."""
    spec = {"stage": "autograd", "device": "gpu", "execution": execution, "steps": STEPS}
    began = time.perf_counter()
    posted = client.post("/v1/batches", json={"spec": spec, "grid": {"seed": {"stop": jobs}}})
    location = posted.raise_for_status().headers["Location"]
    while (batch := client.get(location).raise_for_status().json())["state"] != "finished":
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    assert batch["counts"]["succeeded"] == jobs, batch
    return seconds


def _loop() -> float:
    """Seconds that the tutorial's loop takes for one job on the GPU."""
    rate = stage_named("autograd").defaults()["learning_rate"]
    with torch.device("cuda"):
        LOOPS["autograd"](START, 100, rate)  # warm
        torch.cuda.synchronize()
        began = time.perf_counter()
        LOOPS["autograd"](START, STEPS, rate)
        torch.cuda.synchronize()
        return time.perf_counter() - began


def _eager(members: Members) -> Trainer:
    return stage3_autograd.Trainer(members, "cuda")


def _graph(members: Members) -> RunsSteps:
    trainer = cuda_graph.Trainer(members, "cuda")
    trainer.prepare()
    return trainer


def _nanoseconds(make: Make, width: int) -> float:
    """Nanoseconds of one step of one member: 300 steps minus 100, which removes the cost of start and end of a run."""
    spec = stage_named("autograd").spec
    members = [spec(stage="autograd", seed=seed).as_json() for seed in range(width)]
    trainer = make(members)
    seconds = [_seconds(trainer, steps) for steps in (100, 300, 100, 300, 100, 300)]
    return (median(seconds[1::2]) - median(seconds[::2])) / 200 / width * 1e9


def _seconds(trainer: Trainer | RunsSteps, steps: int) -> float:
    began = time.perf_counter()
    if isinstance(trainer, RunsSteps):
        trainer.run(0, steps)
    else:
        for t in range(steps):
            trainer.step(t)
    torch.cuda.synchronize()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
