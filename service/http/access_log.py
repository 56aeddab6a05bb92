"""One log line for each request: its key's name, method, path, status and time. Never a key, query or body."""

import sys
import time

import structlog
from flask import Flask, Response, g, request

from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def install(app: Flask, settings: Settings) -> None:
    """Add an id to every request, security headers to every response, and a JSON line to the log."""
    log = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
    )

    @app.before_request
    def begin() -> None:
        g.request_id = new_id().hex
        g.begin = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = g.request_id
        milliseconds = round((time.perf_counter() - g.begin) * 1000, 1)
        key = {"key": g.caller.key} if "caller" in g and g.caller.key else {}
        log.info(
            "request", id=g.request_id, method=request.method, path=request.path, status=response.status_code,
            ms=milliseconds, **key,
        )  # fmt: skip
        return response
