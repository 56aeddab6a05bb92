"""No request stops the service: what it costs to read is known, and bounded, before anything is built."""

import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gradyard.jobs.errors import BatchInvalid, BodyMalformed, SpecInvalid
from gradyard.jobs.settings import load
from gradyard.jobs.specs.axes import Span
from gradyard.jobs.submission.batches import parse_batch
from gradyard.jobs.submission.large import LARGE_BYTES
from gradyard.jobs.submission.parse import parse_job
from gradyard.jobs.submission.requests.keys import read_key_request
from gradyard.jobs.submission.requests.predictions import read_prediction_request
from gradyard.jobs.submission.requests.verbs import read_retry_of_batch
from gradyard.jobs.submission.retries import is_large_retry, parse_again
from tests.fuzzing import FUZZ
from tests.jobs.bounded import bounded

settings = load(database_url="sqlite:///unused.db")
fewer = load(database_url="sqlite:///unused.db", max_batch_jobs=2000)
LARGE, SMALL = 33_000_000, 2**20
NN = {"stage": "nn"}
MANY = {"stop": 100_000}
ROUND = 7.078100234189584e22  # as a decimal it is less than as a float: 70781002341895840000000
EMPTY = {"start": int(ROUND) - 7, "stop": ROUND}


def read(body: bytes, *, lines: bool = False) -> None:
    """Read a batch that is refused, within bounds."""
    with pytest.raises((SpecInvalid, BatchInvalid, BodyMalformed)), bounded():
        parse_batch(BytesIO(body), settings, lines=lines)


def fill(begin: bytes, again: bytes, end: bytes, size: int = LARGE) -> bytes:
    return begin + again * ((size - len(begin) - len(end)) // len(again)) + end


SPEC = b'{"stage":"nn","dataset":{"kind":"inline","x":['
LARGE_BODIES = {
    "lists": (b'{"jobs":[', b"[],", b"[]]}"),
    "objects": (b'{"jobs":[', b"{},", b"{}]}"),
    "objects with a field": (b'{"jobs":[', b'{"a":1},', b"{}]}"),
    "objects with one field twice": (b'{"jobs":[', b'{"a":1,"a":2},', b"{}]}"),
    "one field many times": (b'{"jobs":[],', b'"a":1,', b'"a":0}'),
    "numbers": (b'{"jobs":[', b"0,", b"0]}"),
    "texts": (b'{"jobs":[', b'"",', b'""]}'),
    "beside the jobs": (b'{"jobs":[],"x":[', b"[],", b"[]]}"),
    "a name": (b'{"jobs":[{}],"name":"', b"[{", b'"}'),
    "an axis of lists": (b'{"spec":{"stage":"nn"},"grid":{"x":[', b"[],", b"1]}}"),
    "an axis of numbers": (b'{"spec":{"stage":"nn"},"grid":{"x":[', b"0,", b"1]}}"),
    "a spec": (b'{"spec":{"stage":"nn","x":[', b"[],", b"1]}}"),
    "a spec of objects": (b'{"spec":{"stage":"nn","x":[', b'{"a":1,"a":1},', b"1]}}"),
    "brackets that never end": (b'{"jobs":[', b"[", b""),
    "a text": (b'{"jobs":["', b"\\u003a", b'"]}'),
    "points": (b'{"jobs":[' + SPEC + b'0],"y":[', b"0,1,", b"0]}}]}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("parts", LARGE_BODIES.values(), ids=LARGE_BODIES)
def test_a_large_body_is_weighed_before_it_is_read(parts: tuple[bytes, bytes, bytes]) -> None:
    read(fill(*parts))


def unknown_fields(count: int) -> bytes:
    return b'{"stage":"nn",' + b",".join(b'"f%d":1' % number for number in range(count)) + b"}\n"


LARGE_LINES = {
    "empty": b"\n", "objects": b"{}\n", "no JSON": b"{\n", "one line": b"[],", "unknown fields": unknown_fields(100),
    "many unknown fields": unknown_fields(10_000), "numbers": b"[" + b"0," * 200_000 + b"0]\n",
    "points": SPEC + b"0,1," * 5000 + b'0],"y":[' + b"0,1," * 5000 + b"0]}}\n",
    "points of jobs": SPEC + b"0,1," * 4999 + b'0],"y":[' + b"0,1," * 4999 + b"0]}}\n",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("line", LARGE_LINES.values(), ids=LARGE_LINES)
def test_lines_are_weighed_one_by_one_and_together(line: bytes) -> None:
    read(fill(b"", line, b""), lines=True)


def axes(path: str, axis: Any, count: int = 64) -> dict[str, Any]:
    return {path % number: axis for number in range(count)}


SWEEPS: dict[str, dict[str, Any]] = {
    "an empty range beside long ones": {"grid": axes("p%d", MANY, 63) | {"e": EMPTY}},
    "a range of 10^9": {"grid": {"seed": {"stop": 10**9}, "e": EMPTY}},
    "long ranges": {"grid": axes("p%d", MANY)},
    "ranges of 10^300": {"grid": axes("p%d", {"stop": 1e300, "step": 1e-300})},
    "long paths": {"random": axes("p%d" + ".a" * 90, {"low": 0, "high": 1}), "samples": 100_000},
    "many draws": {"random": axes("p%d", {"low": 0, "high": 1}), "samples": 100_000},
    "draws of a part": {"random": axes("init.p%d", {"low": 0, "high": 1}), "samples": 100_000},
    "an axis of every value": {"grid": {"x": [[]] * 100_000}},
    "points again and again": {
        "spec": NN | {"dataset": {"kind": "inline", "x": [0, 1] * 5000, "y": [0, 1] * 5000}}, "grid": {"seed": MANY},
    },
    "a large spec": {"spec": NN | {"tags": [[]] * 300_000}, "grid": {"seed": MANY}},
    "a spec of many fields": {"spec": NN | {"tags": {f"f{n}": 1 for n in range(15_000)}}, "grid": {"seed": MANY}},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "piece"),
    [*((690_000, piece) for piece in (b"[],", b'{"a":1},', b"0,", b'"abcdefgh",', b"[[]],")),
     (149_000, b'{"a":1},'), (299_000, b'"abcdefgh",')],
)  # fmt: skip
def test_a_sweep_is_not_held_twice(piece: bytes, count: int) -> None:
    in_spec = b'{"spec":{"stage":"nn","x":[', b'1]},"grid":{}}'
    in_axis = b'{"spec":{"stage":"nn"},"grid":{"x":[', b"1]}}"
    for begin, end in (in_spec, in_axis):
        with bounded(), pytest.raises((SpecInvalid, BatchInvalid)):
            parse_batch(BytesIO(begin + piece * count + end), fewer)


@pytest.mark.slow
@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
def test_a_small_sweep_does_no_large_work(sweep: dict[str, Any]) -> None:
    body = json.dumps({"spec": NN} | sweep, separators=(",", ":")).encode()
    assert len(body) < 2 * SMALL
    read(body)


def test_a_range_is_empty_where_it_has_no_decimal_numbers() -> None:
    body = json.dumps({"spec": NN, "grid": {"seed": EMPTY}}).encode()
    with pytest.raises(SpecInvalid, match="/grid/seed: the range is empty"):
        parse_batch(BytesIO(body), settings)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-9, 9), st.integers(-3, 3) | st.floats(0, 3))
def test_a_range_has_as_many_values_as_it_says(near: float, off: int, step: float) -> None:
    for start, stop in ((int(near) + off, near), (near, int(near) + off), (near, near + abs(near) / 1000)):
        try:
            span = Span(start=start, stop=stop, step=step)
        except ValueError:
            continue
        assert span.size >= 1
        if span.size <= 10_000:
            values = span.values()
            assert len(values) == span.size
            assert list(values) == sorted(set(values)) or step < 1e-9 * abs(near)


POINTS = NN | {"dataset": {"kind": "inline", "x": [number / 8 for number in range(9000)], "y": [0.5] * 9000}}


@pytest.mark.slow
def test_points_that_a_sweep_repeats_are_held_once_and_the_sweep_is_large() -> None:
    body, calls = json.dumps({"spec": POINTS, "grid": {"seed": {"stop": 250}}}).encode(), []
    assert len(body) < LARGE_BYTES
    with bounded(memory=96 * 2**20, seconds=60):
        parsed = parse_batch(BytesIO(body), settings, before_large=lambda: calls.append("waited"))
    assert (calls, len(parsed.jobs)) == (["waited"], 250)
    assert {each.spec.seed for each in parsed.jobs} == {*range(250)}
    assert len({id(each.as_json["dataset"]) for each in parsed.jobs}) == 1
    assert len({id(each.spec.dataset) for each in parsed.jobs}) == 1


def test_points_are_shared_by_their_bits() -> None:
    data = [{"kind": "inline", "x": [0.0, 1.0], "y": [zero, 1.0]} for zero in (0.0, -0.0, -0.0, 0.0)]
    jobs = parse_batch(BytesIO(json.dumps({"spec": NN, "grid": {"dataset": data}}).encode()), settings).jobs
    assert [json.dumps(job.as_json["dataset"]["y"]) for job in jobs] == [json.dumps(each["y"]) for each in data]
    assert [job.spec.as_json() for job in jobs] == [job.as_json for job in jobs]


def stored(count: int, **spec: Any) -> list[Any]:
    as_json = parse_job(json.dumps(NN | spec).encode(), settings).as_json
    return [SimpleNamespace(id=number, spec=as_json, name=None, tags={}, priority=0) for number in range(count)]


@pytest.mark.slow
def test_a_short_retry_does_no_large_work() -> None:
    changes = {"dataset": POINTS["dataset"]}
    with bounded(memory=32 * 2**20, seconds=1), pytest.raises(SpecInvalid, match="/set: its jobs have over 67,108,864"):
        is_large_retry(1000, 500_000, changes, settings)
    assert is_large_retry(100, 50_000, changes, settings)
    assert not is_large_retry(100, 50_000, {"seed": 1}, settings)
    few = settings.model_copy(update={"max_batch_bytes": 2**20})
    with bounded(memory=96 * 2**20, seconds=10), pytest.raises(SpecInvalid, match="/set: its jobs have over 1,048,576"):
        parse_again(stored(1000), changes, few)


def test_a_batch_at_its_limit_may_be_retried_with_the_values_that_were_not_sent() -> None:
    members = stored(50, name="n" * 40)
    sent = 50 * len(json.dumps(NN | {"name": "n" * 40}))
    assert len(parse_again(members, {"seed": 3}, settings.model_copy(update={"max_batch_bytes": sent}))) == 50


ONE_BODY: dict[str, bytes] = {
    "lists": fill(b'{"stage":"nn","x":[', b"[],", b"1]}", SMALL),
    "points": fill(SPEC, b"[],", b'0],"y":[0]}}', SMALL),
    "y of points": fill(SPEC + b'0],"y":[', b"0,", b"0]}}", SMALL),
    "tags": fill(b'{"stage":"nn","tags":{', b'"a":1,', b'"b":0}}', SMALL),
    "tags of lists": fill(b'{"stage":"nn","tags":[', b"[],", b"0]}", SMALL),
    "fields": unknown_fields(19_000),
    "objects": fill(b'{"stage":"nn","x":[', b'{"a":1,"a":1},', b"0]}", SMALL),
    "a text": fill(b'{"stage":"nn","name":"', b"\\u003a", b'"}', SMALL),
    "digits": fill(b'{"stage":"nn","steps":', b"1", b"}", SMALL),
    "scopes": fill(b'{"name":"a","scopes":[', b'"x",', b'"x"]}', SMALL),
    "states": fill(b'{"states":[', b'"x",', b'"x"]}', SMALL),
    "x": fill(b'{"x":[', b'"x",', b'"x"]}', SMALL),
    "deep": fill(b'{"x":', b'{"x":', b"", SMALL),
}


@pytest.mark.slow
@pytest.mark.parametrize("body", ONE_BODY.values(), ids=ONE_BODY)
def test_a_body_of_one_thing_is_read_soon(body: bytes) -> None:
    assert len(body) <= SMALL
    readers: list[Callable[[], object]] = [
        lambda: parse_job(body, settings), lambda: read_key_request(body), lambda: read_retry_of_batch(body),
        lambda: read_prediction_request(body),
    ]  # fmt: skip
    for reader in readers:
        with pytest.raises((SpecInvalid, BodyMalformed)), bounded(seconds=2):
            reader()


# Pieces of JSON, a large number of times, in any place: what one of them costs is multiplied.
pieces = st.sampled_from([
    b"[]", b"{}", b"0", b'""', b"[[]]", b'{"a":1}', b'{"a":1,"a":1}', b'{"stage":"nn"}', b'{"stage":"nn","steps":0}',
    b'{"stage":"nn","tags":{"a":1}}', b"1e3", b"null", b"[0,0]", b'"\\u003a"', b'{"start":0,"stop":9}', b"{",
])  # fmt: skip
names = st.sampled_from([
    "jobs", "spec", "grid", "random", "samples", "name", "seed", "steps", "init.a", "dataset.points", "x", "tags",
    "start", "stop", "step", "low", "high", "random_seed", "stage",
])  # fmt: skip
counts = st.integers(0, 5) | st.sampled_from([1999, 2001, 19_000, 21_000, 300_000, 10**7])
repeated = st.builds(
    lambda piece, count: b"[" + (piece + b",") * min(count, LARGE // len(piece)) + b"0]", pieces, counts
)
numbers = st.sampled_from([0, 1, -1, 3, 10**9, 10**18, 10**22 + 1, 1e22, 1e300, 5e-324, 0.1, int(ROUND) - 7, ROUND])
spans = st.fixed_dictionaries({"stop": numbers}, optional={"start": numbers, "step": numbers})
drawn = st.fixed_dictionaries({"low": numbers, "high": numbers})
values = st.one_of(repeated, pieces, (spans | drawn).map(lambda each: json.dumps(each).encode()))


def joined(fields: list[tuple[str, bytes]]) -> bytes:
    return b"{" + b",".join(json.dumps(name).encode() + b":" + value for name, value in fields) + b"}"


objects = st.lists(st.tuples(names, values), max_size=6).map(joined)
bodies = st.one_of(
    st.lists(st.tuples(names, values | objects), max_size=5).map(joined),
    st.builds(
        lambda spec, grid, random, samples: joined([
            ("spec", spec), ("grid", grid), ("random", random), ("samples", b"%d" % samples)
        ]),
        st.just(b'{"stage":"nn"}') | objects, objects, objects, st.integers(1, 10**6),
    ),
    repeated.map(lambda each: b'{"jobs":' + each + b"}"),
)  # fmt: skip


@pytest.mark.slow
@given(bodies)
@hypothesis_settings(max_examples=FUZZ or 30, suppress_health_check=list(HealthCheck))
def test_no_body_takes_more_than_its_share(body: bytes) -> None:
    for lines in (False, True):
        with bounded(), suppress(SpecInvalid, BatchInvalid, BodyMalformed):
            parse_batch(BytesIO(body), fewer, lines=lines)
