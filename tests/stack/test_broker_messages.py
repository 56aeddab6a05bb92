"""What strangers put into Redis stops no worker: it is dropped and counted, and no command changes a worker."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis
from celery import Celery

from gradyard.broker.celery_settings import TASK
from tests.servers import RedisServer
from tests.stack.conftest import REDIS_DATABASES
from tests.stack.service_processes import Service
from tests.stack.until import until

pytestmark = [pytest.mark.stack, pytest.mark.parametrize("service", ["postgresql"], indirect=True)]

REDIS_DATABASE = REDIS_DATABASES["postgresql"]
DEEP = "[" * 900 + "]" * 900
DEEPER = "[" * 200_000


@pytest.fixture
def broker(redis_server: RedisServer) -> Iterator["redis.Redis"]:
    """A client of the broker's own database."""
    with redis.Redis.from_url(redis_server.of(REDIS_DATABASE)) as client:
        yield client


def message(arguments: str = "{}", body: object = None, **changes: Any) -> str:
    """A bell as Celery's Redis transport stores it, with these changes; the arguments are JSON."""
    number = str(uuid4())
    embedded = {"callbacks": None, "errbacks": None, "chain": None, "chord": None} | changes.pop("embedded", {})
    whole = f"[[], {arguments}, {json.dumps(embedded)}]"
    headers = {"lang": "py", "task": TASK, "id": number, "root_id": number, "argsrepr": "()", "kwargsrepr": "{}",
               "origin": "a stranger", "retries": 0, "timelimit": [None, None], "ignore_result": True}  # fmt: skip
    delivery = {"exchange": "", "routing_key": "cpu"}
    properties = {"correlation_id": number, "delivery_mode": 2, "delivery_info": delivery, "priority": 0,
                  "body_encoding": "base64", "delivery_tag": str(uuid4())}  # fmt: skip
    sent = {"body": body if body is not None else b64encode(whole.encode()).decode(), "content-encoding": "utf-8",
            "content-type": "application/json", "headers": headers | changes.pop("headers", {}),
            "properties": properties | changes.pop("properties", {})}  # fmt: skip
    return json.dumps(sent | changes)


def without(name: str) -> str:
    """A bell in which that is missing."""
    return json.dumps({key: value for key, value in json.loads(message()).items() if key != name})


EMPTY_LIST, NULL = '"properties": [], "more": {', '"headers": null, "more": {'
AFTERWARDS = {"callbacks": [{"task": "a", "args": [], "kwargs": {}, "options": {}}]}
AS_BELLS: dict[str, str] = {
    "a deep spec": message(f'{{"spec": {DEEP}}}'),
    "a very deep spec": message(f'{{"spec": {DEEPER}}}'),
    "arguments that are null": message("null"),
    "arguments of other names": message('{"unknown": 1}'),
    "an id that is SQL": message('{"job_id": "\'; DROP TABLE jobs; --"}'),
    "passed on as text": message('{"passed": "x"}'),
    "passed on for ever": message('{"passed": -1e308}'),
    "a body that is no JSON": message(body=b64encode(b"{").decode()),
    "a body that is no base64": message(body="no base64!"),
    "a body that is a number": message(body=7),
    "no body": without("body"),
    "an encoding that is none": message(**{"content-encoding": "x"}),
    "a compression that is none": message(headers={"compression": "x"}),
    "ids that are lists": message(headers={"id": ["x"], "root_id": {}}),
    "for the year 9999": message(headers={"eta": "9999-12-31T23:59:59+00:00"}),
    "for no time": message(headers={"eta": "soon"}),
    "expired": message(headers={"expires": "1999-01-01T00:00:00+00:00"}),
    "a list as its end": message(headers={"expires": []}),
    "a time limit": message(headers={"timelimit": [0.001, 0.001]}),
    "a time limit of text": message(headers={"timelimit": "x"}),
    "a task to send afterwards": message(embedded=AFTERWARDS),
    "no properties": without("properties"),
    "properties that are a list": message().replace('"properties": {', EMPTY_LIST),
    "no tag": message(properties={"delivery_tag": None}),
    "no delivery": message(properties={"delivery_info": None}),
    "a type of kombu's": message(headers={"extra": {"__type__": "uuid", "__value__": {}}}),
}
DROPPED: dict[str, str | bytes] = {
    "text": "no JSON", "nothing": "", "null": "null", "a list": "[]", "a number": "1", "a deep list": DEEP,
    "a very deep list": DEEPER, "bytes": b"\xff\x00\x80", "a lone surrogate": '"\\ud800"', "not a number": "NaN",
    "no headers": without("headers"),
    "headers that are null": message().replace('"headers": {', NULL),
    "another task": message(headers={"task": "os.system"}),
    "a task of Celery's": message(headers={"task": "celery.backend_cleanup"}),
    "a task that is a list": message(headers={"task": []}),
    "no content type": without("content-type"),
    "pickle": message(**{"content-type": "application/x-python-serialize"}),
    "yaml": message(**{"content-type": "application/x-yaml"}),
    "too large": message(more="x" * 9_000_000),
}  # fmt: skip


def pids(service: Service) -> dict[int, float]:
    """The processes of the workers: mains and children, by pid, with the time at which each was started."""
    return {each.pid: each.create_time() for each in service.processes("workers.celery_side")}


def dropped(service: Service) -> int:
    """How many messages were dropped, by the metrics."""
    text = httpx.get(f"{service.url}/metrics", trust_env=False, timeout=60).text
    totals = re.findall(r"^gradyard_messages_dropped_total\{.*\} (\S+)$", text, re.MULTILINE)
    return int(sum(map(float, totals)))


def trains(service: Service) -> bool:
    return service.client.wait(service.client.submit(stage="tensor", steps=20).id, timeout=300).succeeded


def test_messages_that_are_no_bell_are_dropped_and_counted_and_the_others_ring(
    service: Service, broker: "redis.Redis"
) -> None:
    assert trains(service)
    before, counted = pids(service), dropped(service)
    for each in [*AS_BELLS.values(), *DROPPED.values()]:
        broker.lpush("cpu", each)
    until(lambda: not broker.llen("cpu"), [service.pool])
    until(lambda: dropped(service) == counted + len(DROPPED), [service.pool])
    assert trains(service)
    assert broker.keys("unacked*") == []  # kombu's own lists, which a stranger could write to
    assert pids(service) == before


def test_commands_of_the_remote_control_change_nothing(service: Service, redis_server: RedisServer) -> None:
    assert trains(service)
    before = pids(service)
    with Celery("stranger", broker=redis_server.of(REDIS_DATABASE), set_as_current=False) as stranger:
        control = stranger.control
        asked = {"timeout": 60.0, "limit": len(control.ping(timeout=5.0))}  # no longer than until all have answered
        was = control.inspect(**asked).stats()
        control.rate_limit(TASK, "1/h")
        control.time_limit(TASK, soft=0.001, hard=0.001)
        control.pool_grow(3)
        control.pool_shrink(1)
        control.autoscale(5, 1)
        control.pool_restart()
        control.add_consumer("celery")
        control.cancel_consumer("cpu")
        control.revoke(str(uuid4()), terminate=True, signal="SIGKILL")
        control.broadcast("hello", {"from_node": "a stranger", "revoked": {str(uuid4()): 1.0}})
        control.broadcast("unheard of", {"more": 1})
        control.broadcast("ping", {"unknown": 1})
        control.shutdown()
        assert trains(service)
        now = control.inspect(**asked)
        assert {name: each["pool"]["processes"] for name, each in now.stats().items()} == {
            name: each["pool"]["processes"] for name, each in was.items()
        }
        assert {queue["name"] for queues in now.active_queues().values() for queue in queues} == {"cpu", "gpu"}
        assert not any(now.revoked().values())
    assert pids(service) == before


@pytest.mark.parametrize("text", [
    "no JSON", "null", "[]", "{}", DEEP, DEEPER, b"\xff", message(), message(headers={"clock": "9" * 4300}),
    '{"headers": null}', message(headers={"clock": []}, body="no base64!"),
], ids=range(11))  # fmt: skip
def test_what_is_published_to_the_mailboxes_of_workers_ends_none(
    service: Service, broker: "redis.Redis", text: str | bytes
) -> None:
    before = pids(service)
    # A mailbox that met an error is opened anew, so it may be closed for a moment.
    until(lambda: broker.publish(f"/{REDIS_DATABASE}.celery.pidbox", text) >= 2, [service.pool])
    assert trains(service)
    assert pids(service) == before, service.pool.tail(90)
