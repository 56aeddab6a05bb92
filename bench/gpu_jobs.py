"""Ten thousand jobs through the service on one GPU, against the tutorial's loop on it."""

import time
from collections.abc import Iterator
from statistics import median

import httpx
import torch

from bench.report import Row
from bench.scripts import START
from bench.service import service
from gradyard.jobs.stages.registry import stage_named
from tests.tutorial_loops import LOOPS

JOBS, STEPS, ROUNDS, SLOTS = 10_000, 2000, 3, 4
LEAST, MOST_SECONDS = 1000, 5.0
NOTES = f"""{JOBS:,} jobs of `autograd` with {STEPS:,} steps, from the POST of a sweep over seeds until every result and
loss is in SQLite, against {JOBS:,} times the seconds of the tutorial's loop on the same GPU. One round that is not
counted, then {ROUNDS}, both in turn; median (least-most). The GPU has one slot, or {SLOTS} that share it."""


def rows() -> Iterator[Row]:
    """Compiled with one slot and with several on the GPU, then eager."""
    for slots, executions in ((1, ("compiled", "eager")), (SLOTS, ("compiled",))):
        with service(gpus="0", slots_per_gpu=slots) as client:  # one GPU, as for the loop
            for execution in executions:
                yield _ratio(client, execution, slots)


def _ratio(client: httpx.Client, execution: str, slots: int) -> Row:
    _batch(client, execution, JOBS)  # warm: every runner has torch, a context and its kernels
    pairs = []
    for _ in range(ROUNDS):
        pairs.append((_batch(client, execution, JOBS), _loop() * JOBS))
        print("{execution}: {:.1f} s, the loop {:,.0f} s".format(*pairs[-1], execution=execution), flush=True)
    ratios = [theirs / ours for ours, theirs in pairs]
    ours = median(each for each, _ in pairs)
    measured = (
        f"{median(ratios):,.0f}x ({min(ratios):,.0f}-{max(ratios):,.0f}): {ours:.1f} s, {JOBS / ours:,.0f} jobs/s"
    )
    met, target = median(ratios) >= LEAST, f">= {LEAST:,}x"
    if execution == "compiled":
        met, target = met and ours < MOST_SECONDS, f"{target}, < {MOST_SECONDS:g} s"
    on_slots = f", {slots} slots on the GPU" if slots > 1 else ""
    return Row(f"{JOBS:,} jobs, {execution}{on_slots}", measured, target, met)


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
