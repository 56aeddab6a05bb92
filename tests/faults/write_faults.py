"""F22: a database or a Redis that answers and takes no writes: a standby, a full managed disk, a memory limit."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import psycopg
import redis

from gradyard.jobs.errors import GradyardError
from tests.faults.arena import Arena

FIRST_SECONDS = 0.5  # of the clients: once /readyz is asked, the API opens connections anew
SAID_SO = ", and /readyz said so"
DATABASE = "the database takes no writes"
REDIS = {
    "Redis is a replica": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "Redis is at its memory limit": ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
}


def shut_writes_out(arena: Arena) -> None:
    """F22: for a while the database, or Redis, takes no writes, whichever did so least. Clients submit meanwhile."""
    done = [each.what.removesuffix(SAID_SO) for each in arena.done if each.fault == "F22"]
    what = min([*([DATABASE] if arena.fleet.postgres else []), *REDIS], key=done.count)
    part, words = ("database", "takes no writes") if what == DATABASE else ("redis", "takes no bells")
    workers = arena.watch.workers()
    at = time.time()
    with _no_writes(arena, what):
        volley = [threading.Thread(target=_submit, args=(arena,)) for _ in range(4)]
        for each in volley:
            each.start()
        arena.finished.wait(FIRST_SECONDS)
        said = arena.until(lambda: words in _readiness(arena).get(part, ""), arena.form.database_away_seconds + 5)
        arena.finished.wait(arena.form.database_away_seconds)
        dead = tuple(name for name, pid in workers.items() if not psutil.pid_exists(pid))
    arena.note("F22", at, what + SAID_SO if said else what, dead=dead)
    for each in volley:
        each.join()


def _submit(arena: Arena) -> None:
    with suppress(RuntimeError):  # a request that was refused is in the log, with its status
        arena.submit(arena.book.short())


@contextmanager
def _no_writes(arena: Arena, what: str) -> Iterator[None]:
    if what == DATABASE:
        _alter_system(arena, "SET default_transaction_read_only = on")
        arena.until(lambda: _sessions_know(arena), 5.0)
        try:
            yield
        finally:
            _alter_system(arena, "RESET default_transaction_read_only")
        return
    begin, end = REDIS[what]
    _tell_redis(arena, begin)
    try:
        yield
    finally:
        _tell_redis(arena, end)


def _sessions_know(arena: Arena) -> bool:
    """Whether a session that was open before has heard of it. The service's own ones hear of it at the same moment."""
    try:
        with arena.fleet.database.read() as connection:
            return connection.exec_driver_sql("SHOW default_transaction_read_only").scalar_one() == "on"
    except GradyardError:
        return False


def _alter_system(arena: Arena, words: str) -> None:
    server = arena.fleet.postgres
    assert server is not None
    while True:
        try:
            options = "-c default_transaction_read_only=off"
            with psycopg.connect(server.url(), autocommit=True, connect_timeout=2, options=options) as connection:
                connection.execute(f"ALTER SYSTEM {words}".encode())
                connection.execute("SELECT pg_reload_conf()")
            return
        except psycopg.OperationalError:  # another fault has killed it at this moment
            time.sleep(0.2)


def _tell_redis(arena: Arena, words: str) -> None:
    while True:
        try:
            with arena.fleet.redis.client() as client:
                client.execute_command(*words.split())
            return
        except redis.RedisError:  # another fault has frozen or killed it at this moment
            time.sleep(0.2)


def _readiness(arena: Arena) -> dict[str, str]:
    try:
        with urlopen(f"{arena.fleet.url}/readyz", timeout=2) as answer:
            return dict(json.load(answer))
    except HTTPError as refused:
        return dict(json.load(refused))
    except OSError:
        return {}
