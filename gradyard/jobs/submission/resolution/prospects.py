"""Warnings about plain gradient descent on a quadratic: it diverges, or it does not come near least squares in time."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gradyard.jobs.numbers.initial_weights import DRAWS, drawn_weights, initial_weights
from gradyard.jobs.specs.builtin import CoefficientsSpec
from gradyard.jobs.specs.datasets import FunctionData
from gradyard.jobs.submission.resolution.data_facts import facts_of
from gradyard.jobs.submission.resolution.quadratic import Descent, Floats, Quadratic, Steps

NEAR = 1.1  # times the loss of least squares
LARGEST_DRAW = {"normal": 8.0, "linear": 1.0}  # a standard normal number is larger once in 10^15
AT_ONCE = 1000  # descents: each takes some thousand bytes
MOST_KINDS = 100  # of descents that wait to be looked at; with noise each job has a quadratic of its own

Warnings = list[dict[str, str]]


class Descending(NamedTuple):
    """What descents share that differ in the weights with which they begin. draw: None for weights that are given."""

    quadratic: Quadratic
    rate: float
    steps: int
    dtype: str
    draw: str | None

    @property
    def near(self) -> float:
        """The most that is near least squares. Data that a model fits exactly end at the rounding of the dtype."""
        return _near(self.quadratic, self.dtype)

    @classmethod
    def of(cls, spec: CoefficientsSpec, quadratic: Quadratic, rate: float) -> "Descending":
        """That of a spec, which descends on this quadratic at this rate."""
        draw = None
        if isinstance(spec.init, str):
            draw = "normal" if spec.init == "normal" else DRAWS.get(spec.stage, "normal")
        return cls(quadratic, rate, spec.steps, spec.dtype, draw)


def too_fast(descending: Descending) -> Warnings:
    """A warning where the rate is over the limit of stability."""
    rate, limit = descending.rate, 2.0 / descending.quadratic.steepest
    if rate <= limit:
        return []
    message = f"{rate:g} is over {limit:.4g}, the limit above which gradient descent on these data diverges"
    return [{"pointer": "/learning_rate", "message": message}]


_Members = list[tuple[CoefficientsSpec, Warnings]]


class Descents:
    """The descents of one request. Those that differ in their seeds alone are looked at together: it is far faster."""

    def __init__(self) -> None:
        self._members: dict[Descending, _Members] = {}

    def add(self, spec: CoefficientsSpec, alike: Descending, warnings: Warnings) -> None:
        """Add a descent that does not diverge. Its `warnings` are complete after `warn`.

        Points that were sent, or are in a file, are looked at now: to keep them takes memory, to read them again time.
        """
        if not isinstance(spec.dataset, FunctionData):
            _warn(alike, [(spec, warnings)])
            return
        self._members.setdefault(alike, []).append((spec, warnings))
        if len(self._members) > MOST_KINDS:
            self.warn()

    def warn(self) -> None:
        """Warn where the last loss will be more than 10 % above the one of least squares, and say what would help."""
        for alike, members in self._members.items():
            _warn(alike, members)
        self._members.clear()


def _warn(alike: Descending, members: _Members) -> None:
    draw = alike.draw and LARGEST_DRAW[alike.draw]
    if draw and _any_start_comes_near(alike.quadratic, draw, alike.rate, alike.steps - 1, alike.near):
        return
    for begin in range(0, len(members), AT_ONCE):
        _warn_slow(alike, members[begin : begin + AT_ONCE])


def _warn_slow(alike: Descending, members: _Members) -> None:
    weights = _starts(alike, [spec for spec, _ in members])
    losses = _after(alike.quadratic, alike.rate, alike.steps - 1).losses(weights)
    slow = np.flatnonzero(~(losses <= alike.near))
    if not len(slow):
        return
    attainable = f"after {alike.steps:,} steps, and least squares reaches {alike.quadratic.attainable:.3g}"
    last, cures = losses[slow].tolist(), _cures(alike, members[0][0], weights[slow])
    for place, loss, cure in zip(slow.tolist(), last, cures, strict=True):
        message = f"the loss will be about {loss:.3g} {attainable}; {cure}"
        members[place][1].append({"pointer": "/learning_rate", "message": message})


def _cures(alike: Descending, one: CoefficientsSpec, weights: Floats) -> Iterator[str]:
    """What brings each of these near least squares: `auto`, else `scale`, else more steps. one: any of them."""
    quadratic = alike.quadratic
    auto, condition = 1.0 / quadratic.steepest, f"the powers of x have the condition {quadratic.condition:.2g}"
    by_auto = _after(quadratic, auto, alike.steps - 1).losses(weights) <= alike.near
    when_scaled = np.full(len(weights), -1)
    if not by_auto.all():
        when_scaled[~by_auto] = _steps_when_scaled(one, weights[~by_auto])
    steps_alone = iter(quadratic.steps_to(alike.near, weights[~by_auto & (when_scaled < 0)], auto))
    for comes_near, scaled in zip(by_auto.tolist(), when_scaled.tolist(), strict=True):
        if comes_near:
            yield 'with learning_rate "auto" it comes near'
        elif scaled >= 0:
            also = "" if scaled < alike.steps else f" and steps {scaled + 1:,}"
            yield f'{condition}: with scale "standard", learning_rate "auto"{also} it comes near'
        elif (steps := next(steps_alone)) >= 0:
            yield f'{condition}: with learning_rate "auto" it needs {steps + 1:,} steps'
        else:
            yield f"{condition}: lower the degree"


def _steps_when_scaled(spec: CoefficientsSpec, weights: Floats) -> Steps:
    """The first step that comes near with `scale` "standard" and `auto`, for each; -1 where none does."""
    scaled = None if spec.scales == "standard" else facts_of(spec, "standard").quadratic
    if scaled is None:
        return np.full(len(weights), -1)
    return scaled.steps_to(_near(scaled, spec.dtype), weights, 1.0 / scaled.steepest)


@lru_cache(maxsize=512)
def _near(quadratic: Quadratic, dtype: str) -> float:
    return NEAR * quadratic.attainable + float(np.finfo(dtype).eps) * quadratic.at_zero


@lru_cache(maxsize=512)
def _after(quadratic: Quadratic, rate: float, step: int) -> Descent:
    return quadratic.after(rate, step)


@lru_cache(maxsize=512)
def _any_start_comes_near(quadratic: Quadratic, largest: float, rate: float, step: int, near: float) -> bool:
    return quadratic.most_loss_at(largest, rate, step) <= near


def _starts(alike: Descending, specs: list[CoefficientsSpec]) -> Floats:
    """The weights with which each of these begins, (specs, coefficients)."""
    names = specs[0].coefficient_names
    if alike.draw is not None:
        return drawn_weights(alike.draw, [spec.seed for spec in specs], len(names))
    return np.array([initial_weights(spec.init, spec.seed, names) for spec in specs])
