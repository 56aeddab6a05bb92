"""What a sweep stands for."""

import pytest
from pydantic import ValidationError

from gradyard.jobs.specs.sweeps import Sweep


def test_a_grid_is_every_combination_the_last_axis_fastest() -> None:
    sweep = Sweep.model_validate_json(
        b'{"spec": {"stage": "nn"}, "grid": {"learning_rate": [1e-7, 1e-6], "seed": {"stop": 3}}}'
    )
    assert sweep.size == 6
    found = [(member["learning_rate"], member["seed"]) for member in sweep.members()]
    assert found == [(1e-7, 0), (1e-7, 1), (1e-7, 2), (1e-6, 0), (1e-6, 1), (1e-6, 2)]


def test_parts_of_parts_are_reached_and_the_rest_of_the_spec_stays() -> None:
    spec = {"stage": "optim", "optimizer": {"name": "sgd", "momentum": 0.1}}
    sweep = Sweep(spec=spec, grid={"optimizer.momentum": [0.5, 0.9], "init.a": [1.0]})
    members = list(sweep.members())
    assert [member["optimizer"] for member in members] == [
        {"name": "sgd", "momentum": 0.5},
        {"name": "sgd", "momentum": 0.9},
    ]
    assert members[0]["init"] == {"a": 1.0}
    assert spec["optimizer"] == {"name": "sgd", "momentum": 0.1}


def test_draws_lie_between_their_ends_and_are_the_same_each_time() -> None:
    sweep = Sweep.model_validate({
        "spec": {"stage": "nn"}, "samples": 200,
        "random": {"learning_rate": {"low": 1e-9, "high": 1e-6, "scale": "log"}, "init.a": {"low": -1.0, "high": 1.0}},
    })  # fmt: skip
    rates = [member["learning_rate"] for member in sweep.members()]
    assert len(rates) == len(set(rates)) == sweep.size == 200
    assert all(1e-9 <= rate <= 1e-6 for rate in rates)
    assert 60 < sum(rate < 10**-7.5 for rate in rates) < 140  # half of the decades lie below
    assert rates == [member["learning_rate"] for member in sweep.members()]
    other = sweep.model_copy(update={"random_seed": 1})
    assert rates != [member["learning_rate"] for member in other.members()]


@pytest.mark.parametrize(
    ("span", "values"),
    [
        ({"start": 0.1, "stop": 0.6, "step": 0.1}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ({"start": 1e-7, "stop": 4e-7, "step": 1e-7}, [1e-7, 2e-7, 3e-7]),
        ({"start": -0.3, "stop": 0.3, "step": 0.1}, [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2]),
        ({"stop": 1, "step": 0.25}, [0.0, 0.25, 0.5, 0.75]), ({"start": 0.5, "stop": 0.6, "step": 1}, [0.5]),
        ({"start": 1.0, "stop": 7.0, "step": 2.0}, [1, 3, 5]), ({"start": 1, "stop": 3.5, "step": 1}, [1, 2, 3]),
        ({"start": 1e300, "stop": 3e300, "step": 1e300}, [10**300, 2 * 10**300]),
    ],
)  # fmt: skip
def test_a_range_has_the_numbers_that_decimal_arithmetic_gives(span: dict[str, float], values: list[float]) -> None:
    sweep = Sweep.model_validate({"spec": {}, "grid": {"x": span}})
    found = [member["x"] for member in sweep.members()]
    assert (found, [type(value) for value in found]) == (values, [type(value) for value in values])
    assert sweep.size == len(values)


def test_a_range_of_whole_numbers_stays_as_it_was_written() -> None:
    sweep = Sweep.model_validate_json(b'{"spec": {}, "grid": {"seed": {"stop": 3}}}')
    assert sweep.model_dump(mode="json")["grid"] == {"seed": {"start": 0, "stop": 3, "step": 1}}


def test_names_may_have_digits() -> None:
    sweep = Sweep(spec={"stage": "optim", "optimizer": {"name": "adam"}}, grid={"optimizer.beta1": [0.8]})
    assert next(sweep.members())["optimizer"] == {"name": "adam", "beta1": 0.8}


@pytest.mark.parametrize(
    "wrong",
    [
        {"spec": {}, "grid": {"seed": []}},
        {"spec": {}, "grid": {"seed": [1]}, "random": {"seed": {"low": 0.0, "high": 1.0}}},
        {"spec": {}, "random": {"learning_rate": {"low": 1.0, "high": 1.0}}}, {"spec": {}, "samples": 0},
        {"spec": {}, "random": {"learning_rate": {"low": 0.0, "high": 1.0, "scale": "log"}}},
        {"spec": {}, "grid": {"a b": [1]}}, {"spec": {}, "grid": {"seed": {"stop": 3, "step": 0}}}, {"grid": {}},
        {"spec": {}, "grid": {"seed": {"stop": 3, "step": -0.5}}}, {"spec": {}, "grid": {"seed": {"stop": 0}}},
        {"spec": {}, "grid": {"seed": {"start": 0.5, "stop": 0.5, "step": 0.1}}},
        {"spec": {}, "grid": {"learning_rate": {"start": 0.1, "stop": 0.6}}},
        {"spec": {}, "grid": {"seed": {"stop": True}}}, {"spec": {}, "grid": {"seed": {"stop": "3"}}},
        {"spec": {}, "random": {"learning_rate": {"low": -1.7e308, "high": 1.7e308}}},
        {"spec": {}, "samples": 2}, {"spec": {}, "random_seed": 1}, {"spec": {}, "grid": {"a": [1], "a.b": [1]}},
        {"spec": {}, "grid": {"a.b.c": [1]}, "random": {"a.b": {"low": 0.0, "high": 1.0}}},
        {"spec": {"loss": "l1"}, "grid": {"loss.name": ["l1"]}},
        {"spec": {"loss": None}, "grid": {"loss.name": ["l1"]}},
    ],
)  # fmt: skip
def test_what_is_no_sweep_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Sweep.model_validate(wrong)


def test_members_share_what_is_not_varied_and_nothing_else() -> None:
    spec = {"stage": "optim", "dataset": {"kind": "inline", "x": [0, 1], "y": [0, 1]}, "optimizer": {"name": "adam"}}
    sweep = Sweep(spec=spec, grid={"optimizer.beta1": [0.8, 0.9], "optimizer.beta2": [0.99], "loss.name": ["l1"]})
    first, second = sweep.members()
    assert first["dataset"]["x"] is second["dataset"]["x"]
    assert [each["optimizer"] for each in (first, second)] == [
        {"name": "adam", "beta1": 0.8, "beta2": 0.99}, {"name": "adam", "beta1": 0.9, "beta2": 0.99}
    ]  # fmt: skip
    assert sweep.spec["optimizer"] == {"name": "adam"}
    assert "loss" not in sweep.spec
