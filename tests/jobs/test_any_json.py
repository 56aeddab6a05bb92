"""Whatever is sent: a job, or a refusal that points at a place of the request. Never a fault of the service."""

import json
import string
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gradyard.jobs.errors import BatchInvalid, BodyMalformed, FieldProblem, SpecInvalid
from gradyard.jobs.settings import load
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.batches import parse_batch
from gradyard.jobs.submission.parse import parse_job
from gradyard.jobs.submission.requests.keys import read_key_request

settings = load(database_url="sqlite:///unused.db", max_batch_jobs=200, max_points=2000, max_steps=10**6)

names = st.one_of(
    st.sampled_from(sorted({name for stage in STAGES.values() for name in stage.spec.model_fields})),
    st.sampled_from([
        "kind", "name", "points", "start", "stop", "step", "x", "y", "noise", "momentum", "a", "b", "c", "d",
        "low", "high", "scale", "jobs", "spec", "grid", "random", "samples", "random_seed",
        "optimizer.momentum", "init.a", "loss.name", "dataset.points", "", "/", "~", "a b", "lr",
    ]),
    st.text(max_size=4),
)  # fmt: skip
numbers = st.one_of(
    st.integers(-3, 12), st.integers(), st.floats(),
    st.sampled_from([10**400, -(10**400), 2**53, 2**63, 2**64, -0.0, 1e308, 5e-324]),
)  # fmt: skip
texts = st.one_of(
    st.sampled_from([*STAGES, "sgd", "adam", "mse", "l1", "inline", "auto", "default", "normal", "\ud800", "\0"]),
    st.text(max_size=5), st.text(string.printable, max_size=5),
)  # fmt: skip
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
specs = st.builds(
    lambda stage, fields: {"stage": stage} | fields,
    st.sampled_from(list(STAGES)),
    st.dictionaries(names, values, max_size=4),
)
axes = st.dictionaries(
    names,
    st.lists(leaves | values, max_size=4)
    | st.fixed_dictionaries({}, optional={"start": leaves, "stop": leaves, "step": leaves}),
    max_size=3,
)
draws = st.dictionaries(
    names, st.fixed_dictionaries({}, optional={"low": leaves, "high": leaves, "scale": leaves}), max_size=2
)
sweeps = st.fixed_dictionaries(
    {"spec": specs | leaves},
    optional={"grid": axes | leaves, "random": draws, "samples": leaves, "random_seed": leaves, "name": leaves},
)
lists = st.fixed_dictionaries({"jobs": st.lists(specs | values, max_size=4) | leaves}, optional={"name": leaves})


def leads_into(pointer: str, whole: Any) -> bool:
    """Whether the pointer names a place of the value, or a field that is missing at one."""
    *outer, _last = pointer.split("/")
    for part in outer[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(whole, list) and name.isdigit() and int(name) < len(whole):
            whole = whole[int(name)]
        elif isinstance(whole, dict) and name in whole:
            whole = whole[name]
        else:
            return False
    return pointer == "" or isinstance(whole, dict | list)


def check(read: Callable[[], object], whole: Any) -> None:
    """Fail where the value is refused without a place in it, or with anything but a refusal."""
    try:
        read()
    except SpecInvalid as error:
        assert_told([(whole, each) for each in error.problems])
    except BatchInvalid as error:
        assert_told([(whole["jobs"][index], each) for index, each in error.problems])
    except BodyMalformed:  # lone surrogates, numbers that are too long
        pass


def assert_told(problems: list[tuple[Any, FieldProblem]]) -> None:
    assert problems
    for whole, problem in problems:
        assert problem.message
        assert "Input should" not in problem.message
        assert leads_into(problem.pointer, whole), problem


@given(specs | values)
@example({"stage": "nn", "steps": 10**400})
@example({"stage": "nn", "dataset": {"points": 1e15}})
@example({"stage": "nn", "init": {"a": 1.0, "b": None, "c": {}, "q": []}})
@example({"stage": "optim", "optimizer": {}})
@example({"stage": "nn", "scale": None, "dataset": {"kind": "inline", "x": [1e308, -1e308], "y": [1e308, 5e-324]}})
def test_a_job_is_made_or_refused_by_the_place(value: Any) -> None:
    check(lambda: parse_job(json.dumps(value).encode(), settings), value)


@given(sweeps | lists | values)
@example({"spec": {"stage": "nn"}, "grid": {"seed": {"start": -(10**400), "stop": 10**400}}})
@example({"spec": {"stage": "nn"}, "grid": {"learning_rate": {"start": 0, "stop": 1e308, "step": 5e-324}}})
@example({"spec": {"stage": "nn"}, "random": {"learning_rate": {"low": 10**400, "high": 1}}})
@example({"spec": {"stage": "nn"}, "grid": {"dataset.points": [None, {}, [], 10**400]}})
@example({"spec": {"stage": "nn", "dataset": None}, "grid": {"dataset.points": [1]}})
def test_a_batch_is_made_or_refused_by_the_place(value: Any) -> None:
    check(lambda: parse_batch(BytesIO(json.dumps(value).encode()), settings), value)


@given(
    st.dictionaries(st.sampled_from(["name", "project", "scopes", "expires_in_days", "x"]), values, max_size=5) | values
)
def test_a_key_is_made_or_refused_by_the_place(value: Any) -> None:
    check(lambda: read_key_request(json.dumps(value).encode()), value)


@given(st.binary(max_size=40) | st.text('{}[]":,1eE+-.ntsNa\\u0038 \n', max_size=60).map(str.encode))
@example(b"\xef\xbb\xbf")
@example(b'{"a":1,"a":"\\ud83a"}')
@example(b'{"a":1,"a":' + b"[" * 100_000)
@example(b'{"a":1,"a":' * 400 + b"1" + b"}" * 400)
@example(b'{"stage":"nn","name":"\\u003a","tags":' + b"[" * 900 + b"]" * 900 + b"}")
def test_bytes_of_any_kind_are_refused(body: bytes) -> None:
    for read in (
        lambda: parse_job(body, settings), lambda: read_key_request(body),
        lambda: parse_batch(BytesIO(body), settings), lambda: parse_batch(BytesIO(body), settings, lines=True),
    ):  # fmt: skip
        with pytest.raises((BodyMalformed, SpecInvalid, BatchInvalid)):
            read()
