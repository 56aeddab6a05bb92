"""The data sets that specs carry go to a runner once each, as arrays."""

import json

import numpy as np

from workers.supervisor.data.pack_data import PackData

FUNCTION = {"seed": 0, "dataset": {"kind": "function", "points": 3}}
FIRST = {"seed": 1, "dataset": {"kind": "inline", "x": [0.1, 1e-300, 3.0], "y": [1.0, 2.0, 3.0]}}
OTHER = {"seed": 2, "dataset": {"kind": "inline", "x": [0.1, 1e-300, 3.0], "y": [1.0, 2.0, 4.0]}}


def test_each_distinct_data_set_is_carried_once() -> None:
    data = PackData([FUNCTION, FIRST, OTHER, FIRST | {"seed": 3}])
    assert data.index == [None, 0, 1, 0]
    assert [(each["x"].tolist(), each["y"].tolist()) for each in data.sets] == [
        ([0.1, 1e-300, 3.0], [1.0, 2.0, 3.0]), ([0.1, 1e-300, 3.0], [1.0, 2.0, 4.0]),
    ]  # fmt: skip
    assert {array.dtype for each in data.sets for array in each.values()} == {np.dtype("float64")}


def test_specs_keep_everything_but_the_numbers() -> None:
    data = PackData([FUNCTION, FIRST])
    assert data.specs == [FUNCTION, {"seed": 1, "dataset": {"kind": "inline", "points": 3}}]
    assert "x" in json.dumps(FIRST), "the claim's own spec is not changed"


def test_a_stage_without_a_data_set_has_none() -> None:
    data = PackData([{"seed": 0}])
    assert (data.index, data.sets, data.specs) == ([None], [], [{"seed": 0}])
