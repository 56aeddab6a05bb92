"""What is computed once, when a job is submitted: the learning rate of `auto`, and the stability limit."""

from typing import Any

import numpy as np

from jobs.datasets import Dataset, InlineData
from jobs.spec import JobSpec

SLICE = 65_536  # points


def resolve(spec: JobSpec) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The numbers that the spec leaves open, and warnings (pointer, message) that its sender should read."""
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


def _steepest_curvature(spec: JobSpec) -> float:
    """lambda_max of the Hessian 2 X'X of the summed squared error (over n for the mean); 0 where X is 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        x = _grid(spec.dataset)
        hessian = np.zeros((len(spec.letters), len(spec.letters)))
        for begin in range(0, x.size, SLICE):  # a million points at degree 9 at once would be 80 MB
            powers = np.vander(x[begin : begin + SLICE], len(spec.letters), increasing=True)
            hessian += 2.0 * powers.T @ powers
        if spec.loss.reduction == "mean":
            hessian /= x.size
    if not np.isfinite(hessian).all():
        return 0.0
    return float(np.linalg.eigvalsh(hessian)[-1])


def _grid(dataset: Dataset) -> np.ndarray:
    if isinstance(dataset, InlineData):
        return np.array(dataset.x)
    return np.linspace(dataset.start, dataset.stop, dataset.points)
