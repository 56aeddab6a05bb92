"""An API as a process, and bytes that are sent to it as they are."""

import os
import socket
import sys
import time
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import psutil

from gradyard.jobs.settings import load
from gradyard.local.launch import API_FOLDER, api_command, api_environment
from gradyard.processes.children import Child
from tests.servers import free_port

START_SECONDS, ANSWER_SECONDS = 120.0, 60.0
HOST = b"Host: localhost\r\n"


class Answer(NamedTuple):
    """What came back: its status, its headers by their names in small letters, its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, from JSON."""
        return orjson.loads(self.body)


class GunicornProcess:
    """The API on a SQLite file and a loopback port, without keys and without workers.

    It is started as `gradyard up` starts it, or, where a class of gunicorn's workers is named, as the page of any other
    Flask application says: `gunicorn 'service.app:create_app()'`.
    """

    def __init__(self, folder: Path, database_url: str, worker_class: str | None) -> None:
        self.is_ours = worker_class is None
        nowhere = "redis://127.0.0.1:1/0"
        self._settings = load(database_url=database_url, redis_url=nowhere, state_dir=folder, port=free_port())
        command = api_command(self._settings)
        if worker_class is not None:
            command = [
                sys.executable,
                "-m",
                "gunicorn",
                "--bind",
                f"127.0.0.1:{self._settings.port}",
                "-k",
                worker_class,
            ]
            command += [
                "--threads",
                "4",
                "--forwarded-allow-ips",
                "",
                "--no-control-socket",
                "service.app:create_app()",
            ]
        variables = api_environment(self._settings)
        variables.pop("GRADYARD_ADMIN_KEY", None)
        self._child = Child("api", command, variables, folder / "api.log", folder=API_FOLDER)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._child.start()
        give_up_at = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up_at:
            try:
                if self.asked(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n").status == 200:
                    return
            except OSError:
                assert self._child.returncode() is None, self.log()
                time.sleep(0.05)
        raise AssertionError(self.log())

    def asked(self, *sent: bytes) -> Answer:
        """The answer to these bytes, after which the sender sends no more."""
        with socket.create_connection(("127.0.0.1", self._settings.port), ANSWER_SECONDS) as connection:
            for part in sent:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            response = HTTPResponse(connection)
            response.begin()
            headers = {name.lower(): text for name, text in response.getheaders()}
            return Answer(response.status, headers, response.read())

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 at which it listens."""
        return self._settings.port

    def main_and_worker(self) -> tuple[psutil.Process, psutil.Process]:
        """Its main process, and the worker process that answers."""
        (main,) = psutil.Process(self._child.pid).children()
        (worker,) = main.children()
        return main, worker

    def log(self) -> str:
        """The last lines of its log."""
        return os.linesep.join(self._child.tail(40))

    def stop(self) -> None:
        """End it."""
        self._child.kill()


def post(path: str, body: bytes, *headers: bytes, kind: bytes = b"application/json") -> bytes:
    """A whole request with these headers beside Host and Content-Type. Content-Length is for the caller to give."""
    head = [b"POST %s HTTP/1.1" % path.encode(), HOST.strip(), b"Content-Type: " + kind, *headers]
    return b"\r\n".join(head) + b"\r\n\r\n" + body
