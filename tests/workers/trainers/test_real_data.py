"""Real data in their own units: with `scale` and `auto` a cubic comes within 1 % of numpy's polyfit.

`python -m bench.real_data` does the same through the whole service, and writes docs/real-data.md. Sets of packages that
are not installed (the extra `real-data`) are left out.
"""

import json
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from bench import real_sets
from bench.real_sets import RealSet
from gradyard.jobs.numbers.models import predicted
from gradyard.jobs.numbers.scaling import Scaling
from gradyard.jobs.settings import load
from gradyard.jobs.submission.parse import parse_job
from tests.workers.trainers.packs import train, trainer_of
from workers.runner.segment_message import results_of

settings = load(database_url="sqlite:///unused.db")
STEPS, MORE_STEPS = 2_000, {"engel": 20_000}  # a few of its incomes are far from all others


def a_cubic_of(data: RealSet, stage: str, scale: str) -> dict[str, object]:
    return {
        "stage": stage, "scale": scale, "learning_rate": "auto", "steps": MORE_STEPS.get(data.name, STEPS),
        "dataset": {"kind": "inline", "x": data.x.tolist(), "y": data.y.tolist()},
    }  # fmt: skip


@pytest.fixture(scope="module", params=[*real_sets.SETS, real_sets.weather], ids=lambda each: each.__name__)
def data(request: pytest.FixtureRequest) -> RealSet:
    load_set: Callable[[], RealSet] = request.param
    try:
        with warnings.catch_warnings(action="ignore"):  # those packages call pandas in ways that will go
            return load_set()
    except ModuleNotFoundError as error:
        pytest.skip(f"the package {error.name} of the extra real-data is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["numpy", "nn", "module"])
def test_a_scaled_cubic_is_as_good_as_polyfit(data: RealSet, stage: str) -> None:
    parsed = parse_job(json.dumps(a_cubic_of(data, stage, "standard")).encode(), settings)
    assert parsed.warnings == []
    members = [parsed.as_json | parsed.resolved]
    trainer = trainer_of(members)
    train(trainer, parsed.spec.steps)
    [result] = results_of(trainer, members)
    assert result.scaled_coefficients is not None
    y = predicted(stage, result.scaled_coefficients, data.x, Scaling(**parsed.resolved["scaling"]))
    assert data.error_of(np.array(y)) <= 1.01 * data.error_of(data.best)


def test_a_raw_cubic_is_warned_of_where_it_does_not_get_near(data: RealSet) -> None:
    parsed = parse_job(json.dumps(a_cubic_of(data, "nn", "none")).encode(), settings)
    warned = any("scale" in each["message"] for each in parsed.warnings)
    assert warned == (data.name != "diabetes")  # which comes within a few percent: docs/real-data.md
