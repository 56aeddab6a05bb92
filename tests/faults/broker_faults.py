"""F4, F5, F6, F11: Redis is killed, emptied, frozen, and filled with forged bells."""

import json
import time
from base64 import b64encode
from contextlib import suppress
from uuid import uuid4

import psutil
import redis

from tests.faults.arena import Arena
from tests.faults.fleet import SLOTS

TIMES = 20
HEARD = ", and heard"


def kill_redis(arena: Arena) -> None:
    """F4: kill Redis with SIGKILL, and start an empty one on the same port a little later."""
    server = arena.fleet.redis
    _fill_queue(arena)
    at = time.time()
    server.kill()
    arena.pause(0.5, 3.0)
    server.start()
    arena.note("F4", at, "Redis killed, back empty")


def flush_redis(arena: Arena) -> None:
    """F5: empty Redis with FLUSHALL."""
    _fill_queue(arena)
    at = time.time()
    with suppress(redis.RedisError), arena.fleet.redis.client() as client:
        held = client.dbsize()
        client.flushall()
        if held:
            arena.note("F5", at, f"{held} keys gone")


def freeze_redis(arena: Arena) -> None:
    """F6: freeze Redis for a while: it accepts connections and answers nothing."""
    at, server = time.time(), arena.fleet.redis
    server.freeze()
    arena.finished.wait(arena.form.redis_frozen_seconds)
    server.thaw()
    arena.note("F6", at, "Redis frozen")


def forge_bells(arena: Arena) -> None:
    """F11: send real bells twenty times each, forged ones, and messages of other kinds, in random order."""
    at = time.time()
    bells = [_message({"job_id": str(job)}) for busy in arena.watch.busy() for job, _ in busy.members[:2]] * TIMES
    bells += [_message({"job_id": str(uuid4())}) for _ in range(TIMES)]
    bells += [_message({"job_id": "'; DROP TABLE jobs; --", "spec": {"steps": 10**400}}), _message({"unknown": 1})]
    bells += [_message({}, task="os.system"), _message({}, content_type="application/x-python-serialize")]
    bells += [_message({}, content_type="application/x-yaml"), _message({"spec": {"name": "x" * 2_000_000}})]
    arena.random.shuffle(bells)
    workers = arena.watch.workers()
    with suppress(redis.RedisError), arena.fleet.redis.client() as client:
        client.lpush("cpu", *bells)
        # A slot that trains reads its bells once a minute.
        heard = arena.until(lambda: _forged(client) < len(bells), 75)
        arena.pause(2.0, 3.0)
        dead = tuple(name for name, pid in workers.items() if not psutil.pid_exists(pid))
        arena.note("F11", at, f"{len(bells)} forged bells{HEARD if heard else ''}", dead=dead)


def _forged(client: redis.Redis) -> int:
    """How many of the forged bells are still in Redis."""
    return sum(b"'; DROP" in each or b'"forged"' in each for each in client.lrange("cpu", 0, -1))


def _fill_queue(arena: Arena) -> None:
    """Submit more jobs than there are slots, so that some wait in the queue and their bells are in Redis."""
    arena.submit(*(arena.book.short() for _ in range(2 * SLOTS)))


def _message(arguments: dict[str, object], task: str = "gradyard.train", content_type: str = "application/json") -> str:
    """A message in the form in which Celery's Redis transport stores it."""
    number = str(uuid4())
    body = json.dumps([[], arguments, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    headers = {"lang": "py", "task": task, "id": number, "root_id": number, "argsrepr": "()", "kwargsrepr": "{}",
               "origin": "forged", "retries": 0, "timelimit": [None, None], "ignore_result": True}  # fmt: skip
    delivery = {"exchange": "", "routing_key": "cpu"}
    properties = {"correlation_id": number, "delivery_mode": 2, "delivery_info": delivery, "priority": 0,
                  "body_encoding": "base64", "delivery_tag": str(uuid4())}  # fmt: skip
    return json.dumps({"body": b64encode(body.encode()).decode(), "content-encoding": "utf-8",
                       "content-type": content_type, "headers": headers, "properties": properties})  # fmt: skip
