"""A name that an object has twice is refused where it stands, and a byte order mark does no harm."""

import json
from io import BytesIO

import pytest

from gradyard.jobs.errors import ApiKeyInvalid, BatchInvalid, BodyMalformed, SpecInvalid
from gradyard.jobs.settings import load
from gradyard.jobs.submission.batches import parse_batch
from gradyard.jobs.submission.parse import parse_job
from gradyard.jobs.submission.requests.keys import read_key_request

MARK = b"\xef\xbb\xbf"
settings = load(database_url="sqlite:///unused.db")

TWICE = {
    b'{"stage": "nn", "steps": 5, "steps": 6}': "/steps",
    b'{"stage": "nn", "stage": "nn"}': "/stage",
    b'{"stage": "nn", "steps" : 5, "st\\u0065ps": 5}': "/steps",
    b'{"stage": "nn", "dataset": {"points": 5, "points": 6}}': "/dataset/points",
    b'{"stage": "nn", "tags": {"a:b": "c:d", "a:b": "c:d"}}': "/tags/a:b",
    b'{"stage": "nn", "name": "\\u003a", "seed": 1, "seed": 2}': "/seed",
    b'{"stage": "nn", "name": "\\u003A\\u003a", "seed": 1, "seed": 2, "seed": 3}': "/seed",
    b'{"stage": "nn", "init": {"a": 1}, "init": {"b": {"c": 2}}}': "/init",
    b'{"stage": "nn", "learning_rate": NaN, "seed": 1, "seed": 1}': "/seed",
    b'{"stage": "nn", "steps": 1' + b"0" * 5000 + b', "seed": 1, "seed": 1}': "/seed",
    b'{"stage": "nn", "a/b~c": 1, "a/b~c": 1}': "/a~1b~0c",
    b'{"stage": "nn", "": 1, "": 1}': "/",
    b'{"stage": "nn", "layers": [{}, [{"units": 1, "units": 2}]]}': "/layers/1/0/units",
}


@pytest.mark.parametrize(("body", "pointer"), TWICE.items(), ids=[body[:60].decode() for body in TWICE])
def test_a_name_given_twice_is_refused_where_it_stands(body: bytes, pointer: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(body, settings)
    assert [problem.pointer for problem in refusal.value.problems] == [pointer]
    assert "is given " in refusal.value.problems[0].message


def test_the_number_of_times_is_told() -> None:
    with pytest.raises(SpecInvalid, match="/seed: is given 3 times in this object; give it once"):
        parse_job(b'{"stage": "nn", "seed": 1, "seed": 1, "seed": 1}', settings)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"jobs": [{"stage": "nn"}, {"stage": "nn", "seed": 1, "seed": 2}]}', "/jobs/1/seed"),
        (b'{"jobs": [{"stage": "nn"}], "jobs": [{"stage": "nn"}]}', "/jobs"),
        (b'{"spec": {"stage": "nn", "seed": 1, "seed": 2}, "grid": {}}', "/spec/seed"),
        (b'{"spec": {"stage": "nn"}, "grid": {"seed": [1], "seed": [2]}}', "/grid/seed"),
        (b'{"spec": {"stage": "nn"}, "grid": {"seed": {"stop": 1, "stop": 2}}}', "/grid/seed/stop"),
        (b'{"spec": {"stage": "nn"}, "random": {"learning_rate": {"low": 1, "low": 2, "high": 3}}}',
         "/random/learning_rate/low"),
    ],
)  # fmt: skip
def test_a_batch_is_looked_at_everywhere(body: bytes, pointer: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_batch(BytesIO(body), settings)
    assert [problem.pointer for problem in refusal.value.problems] == [pointer]


def test_each_line_of_a_batch_is_looked_at() -> None:
    lines = b'{"stage": "nn"}\n{"stage": "nn", "seed": 1, "seed": 2}\n'
    with pytest.raises(BatchInvalid) as refusal:
        parse_batch(BytesIO(lines), settings, lines=True)
    assert [(index, problem.pointer) for index, problem in refusal.value.problems] == [(1, "/seed")]


def test_a_request_for_a_key_is_looked_at() -> None:
    with pytest.raises(ApiKeyInvalid) as refusal:
        read_key_request(b'{"name": "ada", "scopes": ["jobs:read"], "scopes": ["admin"]}')
    assert [problem.pointer for problem in refusal.value.problems] == ["/scopes"]


def test_colons_in_text_are_no_names() -> None:
    body = json.dumps({"stage": "nn", "name": 'a:b ": {', "tags": {"u": "http://x:1/", "::": ":"}}).encode()
    assert parse_job(body, settings).spec.name == 'a:b ": {'


def test_what_is_no_json_is_still_malformed() -> None:
    for body in (b'{"a":1,"a":', b'{"a":1,"a":2', b'{"a": "\xff", "a": 1}', b'{"a": 01, "a": 1}'):
        with pytest.raises(BodyMalformed):
            parse_job(body, settings)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse_job(MARK + b'{"stage": "nn"}', settings).spec.stage == "nn"
    assert len(parse_batch(BytesIO(MARK + b'{"jobs": [{"stage": "nn"}]}'), settings).jobs) == 1
    assert len(parse_batch(BytesIO(MARK + b'{"stage": "nn"}\n{"stage": "nn"}\n'), settings, lines=True).jobs) == 2
    assert read_key_request(MARK + b'{"name": "ada"}').name == "ada"
    with pytest.raises(BodyMalformed):
        parse_job(MARK + MARK + b'{"stage": "nn"}', settings)


def test_a_thousand_repetitions_are_answered_with_the_first_hundred() -> None:
    body = b"{" + b", ".join(b'"f%d": 1, "f%d": 2' % (number, number) for number in range(1000)) + b"}"
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(body, settings)
    assert len(refusal.value.problems) == 100
