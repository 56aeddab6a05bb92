"""Trainers of the engines of a GPU, and how long a step of them takes."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from gradyard.jobs.stages.registry import stage_named
from workers.trainers import stage3_autograd
from workers.trainers.compiled import cuda_graph
from workers.trainers.contract import RunsSteps, Trainer
from workers.trainers.fused import trainer as fused_trainer

Members = list[dict[str, Any]]
Make = Callable[[Members], Trainer | RunsSteps]


def eager(members: Members) -> Trainer:
    """The stage itself."""
    return stage3_autograd.Trainer(members, "cuda")


def graph(members: Members) -> RunsSteps:
    """Its CUDA graph, captured."""
    trainer = cuda_graph.Trainer(members, "cuda")
    trainer.prepare()
    return trainer


def fused(members: Members) -> fused_trainer.Trainer:
    """Its kernel, compiled."""
    trainer = fused_trainer.Trainer(members, "cuda")
    trainer.prepare()
    return trainer


ENGINES: dict[str, Make] = {"eager": eager, "cudagraph": graph, "fused": fused}


def members_of(width: int, points: int = 2000) -> Members:
    """`autograd` jobs with seeds of their own, and a learning rate with which they converge."""
    spec = stage_named("autograd").spec
    small = {"learning_rate": 1e-6 * 2000 / points, "dataset": {"points": points}}
    return [spec.model_validate({"stage": "autograd", "seed": seed, **small}).as_json() for seed in range(width)]


def nanoseconds(make: Make, width: int, points: int) -> float:
    """Nanoseconds of one step of one member: the longer run minus the shorter, which removes what is done once a run.

    The steps of the fused kernel are so many that the difference can be measured; its losses stay on the GPU.
    """
    trainer = make(members_of(width, points))
    few, many, measure = 100, 300, seconds_of
    if isinstance(trainer, fused_trainer.Trainer):
        few, many, measure = 1000, 11_000 if points <= 2000 else 1200, kernel_seconds
    measure(trainer, 20)
    seconds = [measure(trainer, steps) for steps in (few, many, few, many, few, many)]
    return (median(seconds[1::2]) - median(seconds[::2])) / (many - few) / width * 1e9


def seconds_of(trainer: Trainer | RunsSteps, steps: int) -> float:
    """Seconds of so many steps from the first on."""
    began = time.perf_counter()
    if isinstance(trainer, RunsSteps):
        trainer.run(0, steps)
    else:
        for t in range(steps):
            trainer.step(t)
    torch.cuda.synchronize()
    return time.perf_counter() - began


def kernel_seconds(trainer: Any, steps: int) -> float:
    """The same of a fused kernel, without the way of its losses to the host."""
    began = time.perf_counter()
    trainer.launch(0, steps)
    torch.cuda.synchronize()
    return time.perf_counter() - began
