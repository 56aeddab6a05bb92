"""A small real HTTP server that gives the answers of its test and keeps the requests."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

JOB_ID = "0199c0de-0000-7000-8000-000000000001"


@dataclass(frozen=True)
class Asked:
    """One request that the server received."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """One answer. A body that is not bytes is sent as JSON. hang_up: close the connection without an answer."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


def job(**changed: Any) -> dict[str, Any]:
    """A queued job in the form of the service's answers. `changed` replaces fields."""
    usual = {"id": JOB_ID, "state": "queued", "stage": "nn", "name": None, "spec": {"stage": "nn"}, "resolved": None}
    times = {"submitted_at": "2026-11-23T09:00:00.5Z", "started_at": None, "finished_at": None}
    rest = {"warnings": [], "attempt": 0, "steps": 2000, "steps_done": 0, "reason": None, "message": None}
    return {
        **usual,
        **times,
        "submitted_by": "api:ada@physics",
        **rest,
        "waiting": None,
        "result": None,
        "retry_of": None,
        "replaced_by": None,
        "batch": None,
        **changed,
    }


def result(**changed: Any) -> dict[str, Any]:
    """The result of a succeeded job in the form of the service's answers. `changed` replaces fields."""
    loss = {"first": 9.0, "last": 3.0, "min": 3.0, "min_step": 1999, "diverged_at": None}
    seconds = {"queued_seconds": 0.1, "setup_seconds": 0.2, "train_seconds": 0.5, "steps_per_second": 4000.0}
    timings = {**seconds, "pack_size": 1, "records": 1, "attempts": 1}
    fit = {"formula": "y = 1.0 + 2.0 x", "coefficients": {"a": 1.0, "b": 2.0}}
    return {**fit, "loss": loss, "timings": timings, "environment": {"device": "cpu"}, **changed}


def problem(status: int, title: str, detail: str = "", **more: Any) -> Said:
    """A problem+json answer."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Said(status, body, {"Content-Type": "application/problem+json"})


def stream(**told: Any) -> Said:
    """A stream of events that tells these messages, by their names, and ends. A value that is a list: one for each."""
    each = [(name, data) for name, one in told.items() for data in (one if isinstance(one, list) else [one])]
    body = "".join(f"event: {name}\nid: 1.1\ndata: {json.dumps(data)}\n\n" for name, data in each)
    return Said(200, body.encode(), {"Content-Type": "text/event-stream"})


class FakeService:
    """The server. `asked` holds all requests so far; `respond` makes the answer to a request."""

    def __init__(self, respond: Callable[[Asked], Said]) -> None:
        self.asked: list[Asked] = []
        self.respond = respond
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["FakeService"]:
        """Serve requests in another thread until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                parts = urlsplit(self.path)
                params = {name: values[0] for name, values in parse_qs(parts.query).items()}
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.command, parts.path, params, dict(self.headers), body)
                service.asked.append(asked)
                self._send(service.respond(asked))

            do_GET = _serve  # noqa: N815 - the names that http.server looks for
            do_POST = _serve  # noqa: N815
            do_PUT = _serve  # noqa: N815
            do_PATCH = _serve  # noqa: N815
            do_DELETE = _serve  # noqa: N815

            def _send(self, answer: Said) -> None:
                if answer.hang_up:
                    self.close_connection = True
                    return
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in ({"Content-Length": str(len(body))} | answer.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Print nothing: the test reads `asked`."""

        return Handler


@contextmanager
def answering(*answers: Said) -> Iterator[FakeService]:
    """A service that gives these answers in turn, and then repeats the last one."""
    left = list(answers)
    with FakeService(lambda _: left.pop(0) if len(left) > 1 else left[0]).running() as service:
        yield service
