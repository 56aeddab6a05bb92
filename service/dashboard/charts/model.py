"""A fitted model over its data, in few enough points for a picture."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import Row

from gradyard.jobs.errors import ContentUnavailable, FileInvalid, SpecInvalid
from gradyard.jobs.numbers.models import UNSETTLED, predicted, predicted_at_each_order
from gradyard.jobs.numbers.scaling import Scaling
from gradyard.jobs.specs.datasets import stored_dataset
from gradyard.jobs.specs.files_of_project import Files, with_its_values
from gradyard.jobs.states import State

MOST_POINTS = 400
MORE_TERMS = ("with e x⁴", "with e x⁴ + e x⁵")


def model_over_data(job: Row[Any], files: Files) -> dict[str, Any] | None:
    """x, y, fitted and residual (y less fitted) of some of the job's points, in the order of x.

    Where its model has another order at each step, fitted is the cubic alone, and `others` the curves with more terms,
    by these. None where it did not succeed or has no coefficients.
    """
    if job.state != State.SUCCEEDED or not job.coefficients:
        return None
    dataset: Mapping[str, Any] | None = job.spec.get("dataset")
    if dataset is None:
        return None
    try:
        data = with_its_values(stored_dataset(dataset), files)
        x, y = data.x_values(), data.y_values(job.spec.get("seed") or 0)
    except (ContentUnavailable, FileInvalid, SpecInvalid):  # the rest of the page does without its file
        return None
    chosen = np.argsort(x, kind="stable")[np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).astype(np.int64))]
    x, y = x[chosen], y[chosen]
    fitted, *more = _fitted(job, x)
    if not np.isfinite([fitted, *more]).all() or not np.isfinite(y).all():
        return None
    drawn = {"x": x, "y": y, "fitted": fitted, "residual": y - fitted}
    return {name: _rounded(values) for name, values in drawn.items()} | {
        "others": {terms: _rounded(values) for terms, values in zip(MORE_TERMS, more, strict=False)}
    }


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


def _fitted(job: Row[Any], x: np.ndarray) -> list[np.ndarray]:
    coefficients, scaling = job.coefficients, None
    if job.scaled_coefficients:  # coefficients in the data's own units may have lost digits
        coefficients, scaling = job.scaled_coefficients, Scaling(**job.resolved["scaling"])
    if job.stage == UNSETTLED:
        return list(predicted_at_each_order(coefficients, x, scaling).values())
    return [predicted(job.stage, coefficients, x, scaling)]
