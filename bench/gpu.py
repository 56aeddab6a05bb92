"""Ten thousand jobs on a GPU, against the tutorial's loop on the same GPU; and what a step costs by width.

python -m bench.gpu
"""

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import httpx
import torch

from bench.report import Row, table, write_results
from bench.scripts import START
from bench.service import service
from gradyard.jobs.stages.registry import stage_named
from tests.tutorial_loops import LOOPS
from workers.runner.numerics import same_bits_on_gpu
from workers.trainers import stage3_autograd
from workers.trainers.compiled import cuda_graph
from workers.trainers.contract import RunsSteps, Trainer

JOBS, STEPS, ROUNDS = 10_000, 2000, 3
LEAST = 1000
WIDTHS = (1, 32, 512, 4096)
NOTES = f"""{JOBS:,} `autograd` jobs ({STEPS:,} steps on 2,000 points, float32) from the POST of a sweep over seeds
until every result and loss is stored in SQLite, against the tutorial's loop on the same GPU, whose time is taken
{JOBS:,} times; {ROUNDS} rounds in turn, median (least-most). Below: nanoseconds of one step of one member, without a
service."""


def main() -> None:
    """Measure, print, and write the results down; of a machine without a GPU, that it has none."""
    load, _, _ = os.getloadavg()
    rows = [Row("everything here", "not run: torch sees no GPU on this machine")]
    if torch.cuda.is_available():
        same_bits_on_gpu(allow_tf32=False)
        rows = [*_jobs(), *(_by_width(name, make) for name, make in (("eager", _eager), ("cudagraph", _graph)))]
    print(table(rows))
    where = f"GPU: {torch.cuda.get_device_name()}. " if torch.cuda.is_available() else ""
    write_results("On a GPU", "python -m bench.gpu", where + NOTES, load, rows)


def _jobs() -> list[Row]:
    with service(gpus="0") as client:  # the loop has one, too
        return [_ratio(client, execution) for execution in ("eager", "compiled")]


def _ratio(client: httpx.Client, execution: str) -> Row:
    _batch(client, execution, 64)  # warm: the runner has torch and a context
    pairs = [(_batch(client, execution, JOBS), _loop() * JOBS) for _ in range(ROUNDS)]
    ratios = [theirs / ours for ours, theirs in pairs]
    ours = median(each for each, _ in pairs)
    measured = (
        f"{median(ratios):,.0f}x ({min(ratios):,.0f}-{max(ratios):,.0f}): {ours:.1f} s, {JOBS / ours:,.0f} jobs/s"
    )
    return Row(f"{JOBS:,} jobs, {execution}", measured, f">= {LEAST:,}x", median(ratios) >= LEAST)


def _batch(client: httpx.Client, execution: str, jobs: int) -> float:
    """Seconds from the POST of a sweep until all of it has succeeded."""
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


def _eager(members: list[dict[str, Any]]) -> Trainer:
    return stage3_autograd.Trainer(members, "cuda")


def _graph(members: list[dict[str, Any]]) -> RunsSteps:
    trainer = cuda_graph.Trainer(members, "cuda")
    trainer.prepare()
    return trainer


def _by_width(name: str, make: Callable[[list[dict[str, Any]]], Trainer | RunsSteps]) -> Row:
    found = [f"{width:,}: {_nanoseconds(make, width):,.0f}" for width in WIDTHS]
    return Row(f"a step of a member, {name}, by width", f"{', '.join(found)} ns")


def _nanoseconds(make: Callable[[list[dict[str, Any]]], Trainer | RunsSteps], width: int) -> float:
    """Of one step of one member; of twice as many steps less once as many, so that the end's wait is not in it."""
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
