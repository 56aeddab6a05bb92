"""A fitted model over its data, in few enough points for a picture."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import Row

from gradyard.jobs.numbers.models import UNSETTLED, predicted
from gradyard.jobs.numbers.scaling import Scaling
from gradyard.jobs.specs.datasets import stored_dataset
from gradyard.jobs.states import State

MOST_POINTS = 400


def model_over_data(job: Row[Any]) -> dict[str, list[float]] | None:
    """x, y, fitted and residual (y less fitted) of some of the job's points, in the order of x.

    None where it did not succeed, has no coefficients, or a model of another order at each step.
    """
    if job.state != State.SUCCEEDED or not job.coefficients or job.stage == UNSETTLED:
        return None
    dataset: Mapping[str, Any] | None = job.spec.get("dataset")
    if dataset is None:
        return None
    data = stored_dataset(dataset)
    x, y = data.x_values(), data.y_values(job.spec.get("seed") or 0)
    chosen = np.argsort(x, kind="stable")[np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).astype(np.int64))]
    x, y = x[chosen], y[chosen]
    fitted = _fitted(job, x)
    if not np.isfinite(fitted).all() or not np.isfinite(y).all():
        return None
    return {name: [float(f"{value:.6g}") for value in values] for name, values in
            (("x", x), ("y", y), ("fitted", fitted), ("residual", y - fitted))}  # fmt: skip


def _fitted(job: Row[Any], x: np.ndarray) -> np.ndarray:
    if job.scaled_coefficients:  # coefficients in the data's own units may have lost digits
        return predicted(job.stage, job.scaled_coefficients, x, Scaling(**job.resolved["scaling"]))
    return predicted(job.stage, job.coefficients, x)
