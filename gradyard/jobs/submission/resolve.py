"""Numbers that are computed once, when a job is submitted: the learning rate of `auto`, and the stability limit."""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

import numpy as np

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.specs.builtin import CoefficientsSpec
from gradyard.jobs.specs.datasets import Dataset, Grid

SLICE = 65_536  # points
# The largest condition of the matrix of x's powers. At 1e7 the weights lose seven of their sixteen digits.
MOST_CONDITION = 1e7
_HELP = 'lower the degree, scale x to [-1, 1], or use execution "eager"'


def resolve(spec: JobSpec) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The numbers that the spec leaves open, and warnings (pointer, message) for the sender."""
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
    """What `resolve` computes from, and how many numbers it is. Equal values of the first are computed once."""
    if not isinstance(spec, CoefficientsSpec) or not spec.descends_a_quadratic:
        return None, 0
    grid, columns = spec.dataset.grid, len(spec.coefficient_names)
    key: Hashable = object() if grid is None else (grid, columns, spec.execution)
    return key, spec.dataset.points * columns


def _steepest_curvature(spec: CoefficientsSpec) -> float:
    """lambda_max of the Hessian 2 X'X of the summed squared error (over n for the mean); 0 where X is 0."""
    columns = len(spec.coefficient_names)
    return _computed(_steepest_of_mean if spec.loss.reduction == "mean" else _steepest_of_sum, spec.dataset, columns)


def _check_condition(spec: CoefficientsSpec) -> None:
    """Refuse `gram` for powers of x that are nearly dependent: SpecInvalid gives their condition, and what helps."""
    condition = _computed(_condition, spec.dataset, len(spec.coefficient_names))
    if condition > MOST_CONDITION:
        message = (
            f"the powers of x have the condition {condition:.1g}, over {MOST_CONDITION:.0e}, and gram loses digits"
        )
        raise SpecInvalid([FieldProblem("/execution", f"{message}; {_HELP}")])


OfPowers = Callable[[np.ndarray, int], float]
"""A number that depends on x, (points,), and on how many powers of x there are."""


def _computed(compute: OfPowers, data: Dataset, columns: int) -> float:
    """The number for the data's x. Numbers of grids are kept, since the members of a batch mostly share their grid."""
    if data.grid is None:
        return compute(data.x_values(), columns)
    return _computed_on_grid(compute, data.grid, columns)


@lru_cache(maxsize=512)
def _computed_on_grid(compute: OfPowers, grid: Grid, columns: int) -> float:
    return compute(grid.values(), columns)


def _steepest_of_sum(x: np.ndarray, columns: int) -> float:
    return _steepest(x, columns, 1)


def _steepest_of_mean(x: np.ndarray, columns: int) -> float:
    return _steepest(x, columns, x.size)


def _steepest(x: np.ndarray, columns: int, divisor: int) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        hessian = np.zeros((columns, columns))
        for begin in range(0, x.size, SLICE):  # a million points at degree 9 at once would be 80 MB
            powers = np.vander(x[begin : begin + SLICE], columns, increasing=True)
            hessian += 2.0 * powers.T @ powers
        hessian /= divisor
    if not np.isfinite(hessian).all():
        return 0.0
    return float(np.linalg.eigvalsh(hessian)[-1])


def _condition(x: np.ndarray, columns: int) -> float:
    """The condition of the matrix of x's powers: its largest singular value over its smallest."""
    triangle = np.zeros((0, columns))
    with np.errstate(over="ignore", invalid="ignore"):
        for begin in range(0, x.size, SLICE):
            powers = np.vander(x[begin : begin + SLICE], columns, increasing=True)
            if not np.isfinite(powers).all():
                return np.inf
            triangle = np.asarray(np.linalg.qr(np.vstack([triangle, powers]), mode="r"))
    values = np.linalg.svd(triangle, compute_uv=False)
    return float(values[0] / values[-1]) if values[-1] > 0 else np.inf
