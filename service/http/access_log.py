"""One log line for each request: its key's name, method, path, status and time. Never a key, query or body."""

import contextlib
import sys
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request

from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.visible_logs import show_control_characters
from service.http.request_times import Answered
from service.http.services import current_services

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def install(app: Flask, settings: Settings) -> None:
    """Add an id to every request, security headers to every response, a line to the log; note how long it took."""
    show_control_characters()
    log = _logger(settings)

    @app.before_request
    def begin() -> None:
        g.request_id = new_id().hex
        g.begin = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = g.request_id
        seconds = time.perf_counter() - g.begin
        route = request.url_rule.rule if request.url_rule else None
        noted = current_services().request_times.noted
        noted.append(Answered(request.method, route, response.status_code, seconds))
        key = {"key": g.caller.key} if "caller" in g and g.caller.key else {}
        with contextlib.suppress(OSError, ValueError):  # a full disk, a closed terminal: the answer goes out anyway
            log.info(
                "request", id=g.request_id, method=request.method, path=request.path, status=response.status_code,
                ms=round(seconds * 1000, 1), **key,
            )  # fmt: skip
        return response


def _logger(settings: Settings) -> Any:
    return structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
    )
