"""What is wrong with a sweep is told once, where the sweep has it, and not for each job that it makes."""

import time
from io import BytesIO
from typing import Any

import orjson
import pytest

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.settings import load
from gradyard.jobs.submission.batches import parse_batch

settings = load(database_url="sqlite:///unused.db")
SEEDS = {"seed": {"stop": 50}}


def faults_of(sweep: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(SpecInvalid) as refusal:
        parse_batch(BytesIO(orjson.dumps({"spec": {"stage": "nn"}} | sweep)), settings)
    return [(problem.pointer, problem.message) for problem in refusal.value.problems]


def pointers_of(sweep: dict[str, Any]) -> list[str]:
    return [pointer for pointer, _ in faults_of(sweep)]


def test_a_wrong_value_of_an_axis_is_one_fault() -> None:
    assert faults_of({"grid": {"learning_rate": [1e-6, -1, "x"], **SEEDS}}) == [
        ("/grid/learning_rate/1", 'must be greater than 0 or "auto", not -1'),
        ("/grid/learning_rate/2", 'must be a number or "auto", not "x"'),
    ]


def test_wrong_values_of_two_axes_are_both_told() -> None:
    assert pointers_of({"grid": {"steps": [1, 0], "degree": [3, 99], **SEEDS}}) == ["/grid/degree/1", "/grid/steps/1"]


def test_a_fault_inside_a_value_is_pointed_at() -> None:
    optim = {"stage": "optim"}
    values = [{"name": "sgd"}, {"name": "sgd", "alpha": 1}, "adam"]
    assert faults_of({"spec": optim, "grid": {"optimizer": values, **SEEDS}}) == [
        ("/grid/optimizer/1/alpha", 'there is no such field for optimizer "sgd", only for rmsprop'),
        ("/grid/optimizer/2", 'must be an object, not "adam"; write {"name": "adam"}'),
    ]


@pytest.mark.parametrize(
    ("path", "meant"),
    [("lerning_rate", "learning_rate"), ("dataset.point", "points"), ("datset.points", "dataset")],
)
def test_an_unknown_parameter_is_told_by_its_path_and_not_by_its_values(path: str, meant: str) -> None:
    ((pointer, message),) = faults_of({"grid": {path: [1, 2], **SEEDS}})
    assert pointer == f"/grid/{path}"
    assert message.startswith("there is no such field")
    assert message.endswith(f'did you mean "{meant}"?')


@pytest.mark.parametrize(
    ("sweep", "place", "message"),
    [
        ({"grid": {"seed": "0:5"}}, "/grid/seed", 'must be a list or a range, not "0:5"; write '
         '{"start": 0, "stop": 5}'),
        ({"grid": {"seed": "1,2"}}, "/grid/seed", 'must be a list or a range, not "1,2"; write [1, 2]'),
        ({"grid": {"seed": 5}}, "/grid/seed", "must be a list or a range, not 5; write [5]"),
        ({"grid": {"seed": {"low": 1, "high": 2}}}, "/grid/seed", 'has low and high, which are for "random"'),
        ({"random": {"learning_rate": "1e-6:1:log"}}, "/random/learning_rate", 'must be an object, not "1e-6:1:log"; '
         'write {"low": 1e-06, "high": 1, "scale": "log"}'),
        ({"random": {"seed": [1, 2]}}, "/random/seed", "must be an object with low and high; lists and ranges are for "
         '"grid"'),
        ({"random": {"seed": 1}}, "/random/seed", "must be an object, not 1"),
        ({"spec": {"stage": "nn", "seed": "0:5"}}, "/spec/seed", 'must be a whole number, not "0:5"; a range is for a '
         'sweep: "grid": {"seed": {"start": 0, "stop": 5}}'),
    ],
)  # fmt: skip
def test_an_axis_as_the_command_takes_it_is_told_in_the_form_that_json_has(
    sweep: dict[str, Any], place: str, message: str
) -> None:
    assert faults_of(sweep) == [(place, message)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"stage": "nn"}, "is a job, not a batch; send it to POST /v1/jobs"),
        ({"job": [{"stage": "nn"}]}, 'a batch is {"jobs": [...]}, or a sweep with "spec" and "grid"'),
        ({}, 'a batch is {"jobs": [...]}, or a sweep with "spec" and "grid"'),
    ],
)
def test_what_is_no_batch_is_told_what_one_is(body: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_batch(BytesIO(orjson.dumps(body)), settings)
    assert [(each.pointer, each.message) for each in refusal.value.problems] == [("", message)]


def test_a_range_with_other_names_is_told_its_own() -> None:
    assert faults_of({"grid": {"seed": {"from": 0, "end": 5}}})[:2] == [
        ("/grid/seed/end", 'there is no such field here; did you mean "stop"?'),
        ("/grid/seed/from", 'there is no such field here; did you mean "start"?'),
    ]


def test_a_fault_of_the_spec_is_pointed_at_in_the_spec() -> None:
    assert pointers_of({"spec": {"stage": "nn", "steps": 0, "colour": 1}, "grid": SEEDS}) == [
        "/spec/colour", "/spec/steps",
    ]  # fmt: skip
    assert pointers_of({"spec": {}, "grid": SEEDS}) == ["/spec/stage"]


def test_a_rule_over_several_fields_points_at_the_axis_that_is_in_it() -> None:
    assert pointers_of({"grid": {"init.a": [1.0, 2.0]}}) == ["/grid/init.a"]
    assert pointers_of({"grid": {"dataset.stop": [-9.0, 9.0], **SEEDS}}) == ["/grid/dataset.stop"]


def test_a_wrong_range_or_draw_is_one_fault() -> None:
    assert faults_of({"grid": {"seed": {"start": -20, "stop": 5}}}) == [("/grid/seed", "must be at least 0, not -20")]
    ((pointer, message),) = faults_of({"random": {"seed": {"low": 1, "high": 9}}, "samples": 20})
    assert pointer == "/random/seed"
    assert message.endswith("random draws fractions, so give whole numbers in grid")


@pytest.mark.parametrize(
    ("sweep", "pointer"),
    [
        ({"grid": {"seed": {"stop": 10**9}}}, "/grid/seed"), ({"grid": {"seed": {"stop": 1e300}}}, "/grid/seed"),
        ({"grid": {"learning_rate": {"stop": 1, "step": 1e-300}}}, "/grid/learning_rate"),
        ({"random": {"learning_rate": {"low": 1, "high": 2}}, "samples": 10**9}, "/samples"),
        ({"grid": {"seed": {"stop": 1000}, "steps": {"start": 1, "stop": 1001}}}, ""),
        ({"samples": 2}, "/samples"), ({"random_seed": 2}, "/random_seed"),
        ({"grid": {"seed": [1]}, "random": {"seed": {"low": 1, "high": 2}}}, "/random/seed"),
        ({"grid": {"optimizer": [1], "optimizer.name": [1]}}, "/grid/optimizer.name"),
        ({"spec": {"stage": "nn", "loss": "l1"}, "grid": {"loss.reduction": ["sum"]}}, "/grid/loss.reduction"),
        ({"grid": {"seed": {"stop": 0}}}, "/grid/seed"), ({"grid": {"x": {"stop": 2, "step": 0}}}, "/grid/x/step"),
        ({"grid": {"x": {"start": 0.5, "stop": 2}}}, "/grid/x/step"), ({"gird": {}}, "/gird"),
        ({"grid": None}, "/grid"),
        ({"spec": None}, "/spec"), ({"grid": {"": [1]}}, "/grid/"), ({"grid": {"seed": {}}}, "/grid/seed/stop"),
    ],
)  # fmt: skip
def test_what_makes_no_sweep_is_pointed_at(sweep: dict[str, Any], pointer: str) -> None:
    assert pointers_of(sweep) == [pointer]


def test_whole_numbers_of_an_axis_may_be_written_as_powers_of_ten() -> None:
    body = b'{"spec": {"stage": "nn"}, "grid": {"steps": [1e3, 2.0]}}'
    assert [job.spec.steps for job in parse_batch(BytesIO(body), settings).jobs] == [1000, 2]


def test_a_large_sweep_that_is_all_wrong_is_refused_soon() -> None:
    begin = time.process_time()
    assert pointers_of({"spec": {"stage": "nn", "steps": 0}, "grid": {"seed": {"stop": 100_000}}}) == ["/spec/steps"]
    assert time.process_time() - begin < 5
