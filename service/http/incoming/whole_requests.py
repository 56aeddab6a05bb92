"""A request is refused unless all of it is here and all of it will be read.

It asks for a path, of a Host that is one, since programs before and behind this one read other forms in other ways:
what one of them allowed, the next then does. Its body is whole. And it has no parameter twice, and no body that its
view would drop.
"""

import io
import re
from typing import IO
from urllib.parse import unquote

from flask import Flask, request
from werkzeug.exceptions import BadRequest, ExpectationFailed

from gradyard.jobs.errors import BodyInvalid, FieldProblem
from gradyard.jobs.validation.pointers import pointer_of
from service.http.errors import BodyIncomplete, HeaderInvalid, ParametersInvalid

HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?\.?)(?::[0-9]{1,5})?")

TAKE_A_BODY = {
    "jobs.change_job", "actions.act_on_jobs",
    "jobs.submit_job", "batches.submit_batch", "batches.retry_batch", "retry_and_logs.retry_job", "predict.predict",
    "fleet.drain_workers", "fleet.pause_queue", "api_keys.make_key", "api_keys.rotate_key", "storage.set_retention",
    "webhooks.create_webhook", "webhooks.change_webhook", "webhooks.rotate_webhook_secret",
    "files.upload_file", "page.sign_in", "page.sign_out", "page.submit", "page.check",
}  # fmt: skip


MAY_REPEAT = {
    "jobs.list_jobs": {"tag"}, "page.jobs": {"tag"}, "page.compare": {"job"},
    "losses.show_losses_of_many": {"job"}, "export.export_jobs": {"job"},
    "metrics_and_artifacts.show_metric_of_many": {"job"}, "live.watch_many": {"job", "batch"},
}  # fmt: skip
"""Parameters that may be given several times, by the endpoint that reads all of them."""


def install(app: Flask) -> None:
    """Before the caller is known: refuse what is no request of this service, and watch the body as it is read."""
    for check in (_refuse_wrong_target, _refuse_wrong_host, _refuse_expectations, _watch_the_body):
        app.before_request(check)


def install_of_views(app: Flask) -> None:
    """After the caller is known: refuse every request of which the view would drop a part."""
    for check in (_refuse_repeated, _refuse_unread_body):
        app.before_request(check)


def _refuse_wrong_target() -> None:
    sent = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "/"
    if not sent.startswith("/"):
        raise BadRequest("the target of a request must be a path here, such as /v1/jobs; this service is no proxy")
    if "#" in sent:  # servers cut it off there, and the parameters after it
        raise BadRequest("a # has no place in the target of a request; within a name or a value it is %23")
    # Servers, and Flask's `request.path`, hide those at its beginning.
    if "//" in unquote(sent.partition("?")[0]) or "//" in request.environ.get("PATH_INFO", ""):
        raise BadRequest("the path has two slashes side by side; write one")


def _refuse_wrong_host() -> None:
    host = request.environ.get("HTTP_HOST", "")
    if not host and request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":  # which has no Host, as old health checks
        return
    if not HOST.fullmatch(host):
        raise HeaderInvalid(f"Host: must be a name or an address, with or without a port, not {host!r}")


def _refuse_expectations() -> None:
    if request.environ.get("HTTP_EXPECT", "100-continue").lower() != "100-continue":
        raise ExpectationFailed("of expectations this service meets 100-continue alone")


def _watch_the_body() -> None:
    request.environ["wsgi.input"] = WholeBody(request.environ["wsgi.input"], request.content_length)


def _refuse_repeated() -> None:
    several = MAY_REPEAT.get(request.endpoint or "", set())
    given = [(name, len(values)) for name, values in request.args.lists() if name not in several]
    repeated = [(name, times) for name, times in given if times > 1]
    if request.endpoint is not None and repeated:
        raise ParametersInvalid([
            FieldProblem(pointer_of((name,)), f"is given {times} times; give it once") for name, times in repeated
        ])  # fmt: skip


def _refuse_unread_body() -> None:
    reads_it = request.endpoint in TAKE_A_BODY and request.method not in ("GET", "HEAD")
    if request.endpoint is None or reads_it:
        return
    if request.get_data().strip() not in (b"", b"{}"):
        raise BodyInvalid([FieldProblem("", "this route takes no body, so none of it would have an effect")])


class WholeBody(io.RawIOBase):
    """The stream of a body of `length` bytes; None: it comes in chunks, and the server knows its end.

    Servers promise that their stream ends by itself (`wsgi.input_terminated`), so Flask reads to that end and compares
    nothing; but many of these streams end also where the sender does. Reading this one raises BodyIncomplete where the
    body ends early or its chunks are none, and then each time: what a server's stream gives after a fault looks like a
    body's end.
    """

    def __init__(self, stream: IO[bytes], length: int | None) -> None:
        self._stream, self._length, self._seen = stream, length, 0
        self._refusal: BodyIncomplete | None = None

    def readable(self) -> bool:
        """True: this is a stream to read from."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into the buffer; 0 at the end of a whole body."""
        if self._refusal is None:
            try:
                data = self._stream.read(len(buffer))
            except OSError:  # the connection ended
                self._refusal = self._ended_early()
            except Exception as error:  # each server has errors of its own for chunks that are none
                self._refusal = BodyIncomplete(f"its chunks are not as HTTP/1.1 has them ({error}); send it again")
            else:
                self._seen += len(data)
                if data or self._length is None or self._seen >= self._length or not len(buffer):
                    buffer[: len(data)] = data
                    return len(data)
                self._refusal = self._ended_early()
        raise self._refusal

    def _ended_early(self) -> BodyIncomplete:
        where = (
            "before its last chunk" if self._length is None else f"after {self._seen:,} of its {self._length:,} bytes"
        )
        return BodyIncomplete(f"it ended {where}; nothing was done, send it again")
