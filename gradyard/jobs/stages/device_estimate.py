"""Estimates of how long slots of one kind of device train a number of jobs, and from how much work on a GPU pays."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradyard.jobs.stages.device_speeds import POINTS_OF_A_MEMBER, Speed, speed_of
from gradyard.jobs.stages.stage import COMPILED, Stage


@dataclass(frozen=True)
class Work:
    """Jobs that can train as one pack: how many, and the steps, points and dtype of each."""

    jobs: int
    steps: int
    points: int
    dtype: str = "float32"


def ends_in_seconds(speed: Speed, work: Work, widest: int, free_in: Sequence[float]) -> float:
    """In how many seconds slots of that speed would end all of the work, good to a factor of two.

    widest: the most members of a pack. free_in: in how many seconds each slot gets free; at least one. The slots share
    the jobs evenly; a slot that gets free too late to help takes none. A compile is counted, since it is not known
    whether the shape was compiled before.
    """
    in_order = sorted(free_in)
    return min(free + _train_seconds(speed, work, widest, count) for count, free in enumerate(in_order, start=1))


def _train_seconds(speed: Speed, work: Work, widest: int, slots: int) -> float:
    share = -(-work.jobs // slots)
    full, rest = divmod(share, widest)
    pass_us = full * _step_us(speed, widest, work) + (_step_us(speed, rest, work) if rest else 0.0)
    return speed.start_seconds + speed.compile_seconds + work.steps * pass_us / 1e6


def _step_us(speed: Speed, members: int, work: Work) -> float:
    size = work.points / POINTS_OF_A_MEMBER * (2 if work.dtype == "float64" else 1)
    return max(speed.step_us, speed.alone_us * size, speed.member_us * members * size)


@dataclass(frozen=True)
class GpuThreshold:
    """From how much work on one GPU ends sooner than one CPU slot with full packs, in float32, for one `execution`.

    points_at_once: jobs times points; fewer do not fill the GPU (0: any number). point_steps: jobs times steps times
    points; fewer end on the CPU before the GPU has started. Both must be reached; twice as many CPU slots need twice as
    many of both. compile_seconds: what the CPU takes besides where it has not compiled jobs of that shape before.
    """

    execution: str
    gpu_engine: str
    cpu_engine: str
    points_at_once: int
    point_steps: int
    compile_seconds: float
    measured: bool


def gpu_thresholds(stage: Stage) -> list[GpuThreshold]:
    """From how much work on a GPU pays, for each `execution` that was measured on both kinds of device."""
    found = (_threshold(stage, "eager", ["eager"]), _threshold(stage, "compiled", COMPILED))
    return [each for each in found if each is not None and "gpu" in stage.devices]


def when_a_gpu_pays(thresholds: Sequence[GpuThreshold]) -> str:
    """The thresholds (at least one) in one sentence."""
    parts = "; ".join(map(_in_words, thresholds))
    return f"One GPU ends sooner than one CPU slot, within a factor of two, {parts}."


def _in_words(threshold: GpuThreshold) -> str:
    at_once = f"{_large(threshold.points_at_once)} jobs x points and " if threshold.points_at_once else ""
    compiles = ", or at once where the CPU would have to compile first" if threshold.compile_seconds else ""
    name = threshold.execution if threshold.execution == threshold.gpu_engine else f"compiled ({threshold.gpu_engine})"
    return f"{name} from {at_once}{_large(threshold.point_steps)} jobs x steps x points{compiles}"


def _large(number: int) -> str:
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if number >= size:
            return f"{number / size:g} {word}"
    return f"{number:,}"


def _threshold(stage: Stage, execution: str, engines: Sequence[str]) -> GpuThreshold | None:
    gpu, cpu = _best(stage, engines, "gpu"), _best(stage, engines, "cpu")
    if gpu is None or cpu is None:
        return None
    point_us = cpu[1].member_us / POINTS_OF_A_MEMBER  # of a full pack on the CPU
    later_us = max(0.0, gpu[1].start_seconds - cpu[1].start_seconds) * 1e6
    at_once = 0.0 if gpu[1].step_us <= cpu[1].step_us else gpu[1].step_us / point_us
    measured = gpu[1].measured and cpu[1].measured
    return GpuThreshold(
        execution, gpu[0], cpu[0], _two_digits(at_once), _two_digits(later_us / point_us), cpu[1].compile_seconds,
        measured,
    )  # fmt: skip


def _best(stage: Stage, engines: Sequence[str], device: str) -> tuple[str, Speed] | None:
    for engine in engines:
        speed = speed_of(stage.name, engine, device)
        if speed is not None and (engine == "eager" or engine in stage.engines):
            return engine, speed
    return None


def _two_digits(number: float) -> int:
    """The number rounded up to two digits: more would pretend to be exact."""
    if number <= 0:
        return 0
    unit = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return math.ceil(number / unit) * unit
