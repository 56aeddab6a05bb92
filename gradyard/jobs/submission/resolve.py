"""What is computed once, when a job is submitted: the learning rate of `auto`, and the stability limit."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import numpy as np

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.specs.builtin import CoefficientsSpec
from gradyard.jobs.specs.datasets import InlineData

SLICE = 65_536  # points
# Of the matrix of x's powers. The weights lose as many digits as it has, of sixteen; the losses far fewer.
MOST_CONDITION = 1e7
_HELP = 'take a lower degree, bring x nearer to [-1, 1], or use execution "eager"'


def resolve(spec: JobSpec) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The numbers that the spec leaves open, and warnings (pointer, message) that its sender should read."""
    if not isinstance(spec, CoefficientsSpec):
        return {}, []
    if spec.execution == "gram":
        _check_condition(spec)
    if not spec.descends_a_quadratic:
        return ({} if spec.learning_rate == "auto" else {"learning_rate": spec.learning_rate}), []
    steepest = _steepest_curvature(spec)
    if spec.learning_rate == "auto":
        return {"learning_rate": 1.0 / steepest if steepest else 1.0}, []
    resolved = {"learning_rate": spec.learning_rate}
    if not steepest or spec.learning_rate <= 2.0 / steepest:
        return resolved, []
    limit = f"{2.0 / steepest:.4g}"
    message = f"{spec.learning_rate:g} is over {limit}, the limit above which gradient descent on these data diverges"
    return resolved, [{"pointer": "/learning_rate", "message": message}]


def work_of(spec: JobSpec) -> tuple[Hashable, int]:
    """What `resolve` looks at, and how many numbers that are; the same thing again costs nothing."""
    if not isinstance(spec, CoefficientsSpec) or not spec.descends_a_quadratic:
        return None, 0
    data, letters = spec.dataset, len(spec.letters)
    if isinstance(data, InlineData):
        return object(), data.points * letters
    return (data.start, data.stop, data.points, letters, spec.execution), data.points * letters


def _steepest_curvature(spec: CoefficientsSpec) -> float:
    """lambda_max of the Hessian 2 X'X of the summed squared error (over n for the mean); 0 where X is 0."""
    letters, mean = len(spec.letters), spec.loss.reduction == "mean"
    if isinstance(spec.dataset, InlineData):
        return _steepest(np.array(spec.dataset.x), letters, mean)
    return _steepest_on_grid(spec.dataset.start, spec.dataset.stop, spec.dataset.points, letters, mean)


@lru_cache(maxsize=256)  # the members of a batch mostly share their grid
def _steepest_on_grid(start: float, stop: float, points: int, letters: int, mean: bool) -> float:
    return _steepest(_grid(start, stop, points), letters, mean)


def _steepest(x: np.ndarray, letters: int, mean: bool) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        hessian = np.zeros((letters, letters))
        for begin in range(0, x.size, SLICE):  # a million points at degree 9 at once would be 80 MB
            powers = np.vander(x[begin : begin + SLICE], letters, increasing=True)
            hessian += 2.0 * powers.T @ powers
        if mean:
            hessian /= x.size
    if not np.isfinite(hessian).all():
        return 0.0
    return float(np.linalg.eigvalsh(hessian)[-1])


def _check_condition(spec: CoefficientsSpec) -> None:
    """Refuse `gram` for powers of x that are nearly the same: SpecInvalid says how nearly, and what helps."""
    data, letters = spec.dataset, len(spec.letters)
    if isinstance(data, InlineData):
        condition = _condition(np.array(data.x), letters)
    else:
        condition = _condition_on_grid(data.start, data.stop, data.points, letters)
    if condition > MOST_CONDITION:
        message = (
            f"the powers of x have the condition {condition:.1g}, over {MOST_CONDITION:.0e}, and gram loses digits"
        )
        raise SpecInvalid([FieldProblem("/execution", f"{message}; {_HELP}")])


@lru_cache(maxsize=256)
def _condition_on_grid(start: float, stop: float, points: int, letters: int) -> float:
    return _condition(_grid(start, stop, points), letters)


@np.errstate(over="ignore", invalid="ignore")
def _grid(start: float, stop: float, points: int) -> np.ndarray:
    return np.linspace(start, stop, points)


def _condition(x: np.ndarray, letters: int) -> float:
    """Of the matrix of x's powers: its largest singular value over its smallest."""
    triangle = np.zeros((0, letters))
    with np.errstate(over="ignore", invalid="ignore"):
        for begin in range(0, x.size, SLICE):
            powers = np.vander(x[begin : begin + SLICE], letters, increasing=True)
            if not np.isfinite(powers).all():
                return np.inf
            triangle = np.asarray(np.linalg.qr(np.vstack([triangle, powers]), mode="r"))
    values = np.linalg.svd(triangle, compute_uv=False)
    return float(values[0] / values[-1]) if values[-1] > 0 else np.inf
