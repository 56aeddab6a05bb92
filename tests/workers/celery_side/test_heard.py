"""Whatever lies in a queue becomes a message that this process writes itself, with a count and ids of the sent one."""

import json
from base64 import b64decode, b64encode
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradyard.broker.celery_settings import TASK
from tests.jobs.bounded import bounded
from workers.celery_side.heard import MOST_BYTES, heard

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4), max_leaves=20,
)  # fmt: skip
HEADERS = ("task", "id", "root_id", "eta", "expires", "timelimit", "retries", "kwargsrepr", "argsrepr", "compression")
SENT = st.fixed_dictionaries({}, optional={
    "headers": ANY_JSON | st.fixed_dictionaries({}, optional={
        name: ANY_JSON | st.just(TASK if name == "task" else str(uuid4())) for name in HEADERS
    }),
    "content-type": ANY_JSON | st.just("application/json"), "content-encoding": ANY_JSON, "properties": ANY_JSON,
    "body": ANY_JSON | ANY_JSON.map(lambda each: b64encode(json.dumps([[], each, {}]).encode()).decode()),
})  # fmt: skip


def bell(arguments: object = None, **changes: Any) -> bytes:
    """A message that the producer of bells would send, with these changes."""
    body = b64encode(json.dumps([[], arguments, {}]).encode()).decode()
    return json.dumps({"headers": {"task": TASK}, "content-type": "application/json", "body": body} | changes).encode()


def arguments_of(message: bytes) -> dict[str, Any]:
    """The arguments of the task; everything else must be what every bell has."""
    sent = json.loads(message)
    headers, properties = sent["headers"], sent["properties"]
    positional, arguments, embedded = json.loads(b64decode(sent["body"]))
    assert (positional, any(embedded.values()), headers["task"]) == ([], False, TASK)
    assert not any(headers[name] for name in ("eta", "expires", "retries", "group", "parent_id"))
    assert (headers["timelimit"], sent["content-type"]) == ([None, None], "application/json")
    assert all(UUID(each) for each in (headers["id"], headers["root_id"], properties["delivery_tag"]))
    assert not headers["kwargsrepr"] or UUID(headers["kwargsrepr"])
    return dict(arguments)


@given(
    st.binary()
    | ANY_JSON.map(lambda each: json.dumps(each).encode())
    | SENT.map(lambda each: json.dumps(each).encode())
)
def test_anything_becomes_a_bell_or_a_reason(item: bytes) -> None:
    arguments = arguments_of(heard(item, "cpu"))
    assert [type(each) for each in arguments.values()] == [str if "dropped" in arguments else int]


@pytest.mark.parametrize("depth", [900, 5_000, 200_000])
def test_no_depth_is_too_deep(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    whole = b64encode(f"[[], {{}}, {deep}]".encode()).decode()
    assert arguments_of(heard(bell(body=whole), "cpu")) == {"passed": 0}
    assert "dropped" in arguments_of(heard(deep.encode(), "cpu"))


def test_a_bell_keeps_how_often_it_was_passed_on_and_the_ids_that_people_look_for() -> None:
    job, task = str(uuid4()), str(uuid4())
    message = heard(bell({"passed": 7}, headers={"task": TASK, "id": task, "kwargsrepr": job}), "gpu")
    assert arguments_of(message) == {"passed": 7}
    headers = json.loads(message)["headers"]
    assert (headers["id"], headers["kwargsrepr"]) == (task, job)
    assert json.loads(message)["properties"]["delivery_info"] == {"exchange": "", "routing_key": "gpu"}


@pytest.mark.parametrize(("item", "reason"), [
    (b"", "not JSON"), (b"null", "form"), (b'{"headers": []}', "form"),
    (bell(headers={"task": "os.system"}), "another task"),
    (bell(**{"content-type": "application/x-yaml"}), "content type"), (b" " * (MOST_BYTES + 1), "8,388,608 bytes"),
])  # fmt: skip
def test_what_is_no_bell_says_why(item: bytes, reason: str) -> None:
    assert reason in arguments_of(heard(item, "cpu"))["dropped"]


HEAVY = {
    "lists": b"[" + b"[]," * (MOST_BYTES // 3 - 2) + b"[]]",
    "objects": b"[" + b'{"a":1},' * (MOST_BYTES // 8 - 2) + b"[]]",
    "numbers": b"[" + b"0," * (MOST_BYTES // 2 - 2) + b"0]",
    "in a header": bell()[:-1] + b',"x":[' + b"[]," * (MOST_BYTES // 3 - 200) + b"[]]}",
    "names": b"{" + b'"a":0,' * (MOST_BYTES // 6 - 2) + b'"a":0}',
    "deep": b"[" * MOST_BYTES,
}


@pytest.mark.parametrize("item", HEAVY.values(), ids=HEAVY)
def test_what_is_far_more_than_a_bell_is_dropped_unread(item: bytes) -> None:
    assert len(item) <= MOST_BYTES
    with bounded(memory=48 * 2**20, seconds=3):
        message = heard(item, "cpu")
    assert "form of Celery" in arguments_of(message)["dropped"]


@pytest.mark.parametrize("item", [bell(body="A" * 8_000_000), bell(x="\\u0041" * 1_000_000)], ids=["body", "text"])
def test_a_bell_of_a_large_job_is_heard_and_costs_little(item: bytes) -> None:
    # orjson reserves 12 times the text and touches what it needs
    with bounded(memory=160 * 2**20, seconds=3):
        message = heard(item, "cpu")
    assert arguments_of(message) == {"passed": 0}
