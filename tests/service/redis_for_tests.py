"""A real Redis-compatible server for the tests that need to freeze, kill and restart one."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis

from tests.servers import free_port, redis_binary


class RedisForTests:
    """A server on a free loopback port, without a file; `start` after `kill` takes the same port again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["RedisForTests"]:
        """A server that runs, and is killed afterwards."""
        server = cls()
        server.start()
        try:
            yield server
        finally:
            server.kill()

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [redis_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen([*command, "--dir", tempfile.gettempdir()], stdout=subprocess.DEVNULL)
        give_up_at = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < give_up_at, "the Redis server did not start"
                time.sleep(0.01)

    def kill(self) -> None:
        """End it at once, with all that it holds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(120)
            self._process = None

    def freeze(self) -> None:
        """Stop it: its port still accepts connections, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def messages(self, queue: str) -> list[Any]:
        """The raw Celery messages that wait in a queue."""
        with Redis(port=self.port) as redis:
            return list(redis.lrange(queue, 0, -1))

    def take(self, queue: str) -> None:
        """Take the oldest message of a queue, as a worker does."""
        with Redis(port=self.port) as redis:
            redis.rpop(queue)

    def command(self, words: str) -> None:
        """Give the server a command."""
        with Redis(port=self.port) as redis:
            redis.execute_command(*words.split())

    def has_keys(self, pattern: str) -> bool:
        """Whether it has keys of that pattern."""
        with Redis(port=self.port) as redis:
            return bool(redis.keys(pattern))

    def flush(self) -> None:
        """Forget everything."""
        with Redis(port=self.port) as redis:
            redis.flushall()
