"""Warnings about plain gradient descent on a quadratic: it diverges, or it does not come near least squares in time."""

from functools import lru_cache

import numpy as np

from gradyard.jobs.numbers.initial_weights import DRAWS, initial_weights
from gradyard.jobs.specs.builtin import CoefficientsSpec
from gradyard.jobs.submission.data_facts import facts_of
from gradyard.jobs.submission.quadratic import Descent, Floats, Quadratic

NEAR = 1.1  # times the loss of least squares
LARGEST_DRAW = {"normal": 8.0, "linear": 1.0}  # a standard normal number is larger once in 10^15

Warnings = list[dict[str, str]]


def too_fast(rate: float, quadratic: Quadratic) -> Warnings:
    """A warning where the rate is over the limit of stability."""
    limit = 2.0 / quadratic.steepest
    if rate <= limit:
        return []
    message = f"{rate:g} is over {limit:.4g}, the limit above which gradient descent on these data diverges"
    return [{"pointer": "/learning_rate", "message": message}]


def too_slow(spec: CoefficientsSpec, quadratic: Quadratic, rate: float) -> Warnings:
    """A warning where the last loss will be more than 10 % above the one of least squares, and what would help."""
    near = _near(quadratic, spec.dtype)
    draw = "normal" if spec.init == "normal" else DRAWS.get(spec.stage, "normal")
    if isinstance(spec.init, str) and _any_start_comes_near(quadratic, LARGEST_DRAW[draw], rate, spec.steps - 1, near):
        return []
    weights = _start_of(spec)
    last = _after(quadratic, rate, spec.steps - 1).loss(weights)
    if last <= near:
        return []
    reached = f"the loss will be about {last:.3g} after {spec.steps:,} steps, and least squares reaches "
    message = f"{reached}{quadratic.attainable:.3g}; {_cure(spec, quadratic, rate, weights)}"
    return [{"pointer": "/learning_rate", "message": message}]


@lru_cache(maxsize=512)
def _near(quadratic: Quadratic, dtype: str) -> float:
    """The most that is near least squares. Data that a model fits exactly end at the rounding of the dtype."""
    return NEAR * quadratic.attainable + float(np.finfo(dtype).eps) * quadratic.at_zero


@lru_cache(maxsize=512)
def _after(quadratic: Quadratic, rate: float, step: int) -> Descent:
    return quadratic.after(rate, step)


@lru_cache(maxsize=512)
def _any_start_comes_near(quadratic: Quadratic, largest: float, rate: float, step: int, near: float) -> bool:
    return quadratic.most_loss_at(largest, rate, step) <= near


def _start_of(spec: CoefficientsSpec) -> Floats:
    return initial_weights(spec.init, spec.seed, spec.coefficient_names, DRAWS.get(spec.stage, "normal"))


def _cure(spec: CoefficientsSpec, quadratic: Quadratic, rate: float, weights: Floats) -> str:
    """What brings the same job near least squares: `auto`, else `scale`, else more steps."""
    auto = 1.0 / quadratic.steepest
    if rate != auto and _after(quadratic, auto, spec.steps - 1).loss(weights) <= _near(quadratic, spec.dtype):
        return 'with learning_rate "auto" it comes near'
    condition = f"the powers of x have the condition {quadratic.condition:.2g}"
    if spec.scales != "standard" and (steps := _steps_when_scaled(spec, weights)) is not None:
        also = "" if steps <= spec.steps else f" and steps {steps:,}"
        return f'{condition}: with scale "standard", learning_rate "auto"{also} it comes near'
    steps = quadratic.steps_to(_near(quadratic, spec.dtype), weights, auto)
    if steps is None:
        return f"{condition}: lower the degree"
    return f'{condition}: with learning_rate "auto" it needs {steps + 1:,} steps'


def _steps_when_scaled(spec: CoefficientsSpec, weights: Floats) -> int | None:
    scaled = facts_of(spec, "standard").quadratic
    if scaled is None:
        return None
    steps = scaled.steps_to(_near(scaled, spec.dtype), weights, 1.0 / scaled.steepest)
    return None if steps is None else steps + 1
