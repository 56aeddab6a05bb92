"""Every error as application/problem+json (RFC 9457), and the table of HTTP statuses."""

import logging
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from gradyard.jobs import errors
from gradyard.jobs.visible_text import visible
from gradyard.shapes import Candidate, FieldError, Problem
from service.http.json_response import dump_json
from service.http.proxy import outer_path

PROBLEM = "application/problem+json"
SHOWS_PROBLEMS = "gradyard.shows_problems"  # the extension of an app that makes pages of problems, for those who look
RETRY_AFTER_SECONDS = {429: 5, 503: 1}
ERRORS_SHOWN = 100
NEWER_PHRASES = {413: "Content Too Large"}  # RFC 9110; Python has it from 3.13 on

logger = logging.getLogger(__name__)


class HeaderInvalid(errors.Refused):
    """A header of the request is not valid."""


class ParametersInvalid(errors.SpecInvalid):
    """The parameters of the request are not valid."""


class BatchUnreadable(errors.SpecInvalid):
    """The batch or sweep is not valid."""


class LargeBatchesWaiting(errors.Refused):
    """Other large batches are read first."""


class BodyIncomplete(errors.Refused):
    """The body did not arrive whole."""


class TooManyWaiting(errors.Refused):
    """Too many requests are waiting for jobs to end."""


class TooManyExports(errors.Refused):
    """Too many exports are under way."""


class TooManyStreams(errors.Refused):
    """Too many streams are open."""


class TooManyCharts(errors.Refused):
    """Too many charts are made at the same time."""


class TooManyRequests(errors.Refused):
    """The key or its project sends too many requests."""


# The nearest base class counts. An error without an entry is a fault of the service: 500.
STATUSES: dict[type[Exception], int] = {
    errors.BodyMalformed: 400,
    HeaderInvalid: 400,
    BodyIncomplete: 400,
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.IllegalMove: 409,
    errors.SpecInvalid: 422,
    errors.ApiKeyInvalid: 422,
    errors.BodyInvalid: 422,
    errors.BatchInvalid: 422,
    ParametersInvalid: 422,
    errors.FileInvalid: 422,
    errors.FormatUnsupported: 422,
    errors.IdempotencyKeyReused: 422,
    errors.TooManyApiKeys: 409,
    errors.TooManyWebhooks: 409,
    errors.WebhookOff: 409,
    errors.AmbiguousId: 409,
    errors.CountChanged: 409,
    errors.QueueFull: 429,
    errors.StorageQuotaExceeded: 403,  # as of other services' quotas: the same request, sent again, is refused again
    TooManyRequests: 429,
    TooManyWaiting: 503,
    TooManyExports: 503,
    TooManyStreams: 503,
    TooManyCharts: 503,
    LargeBatchesWaiting: 503,
    errors.ContentUnavailable: 503,
    errors.ContentMissing: 409,
    errors.StorageFull: 503,
    errors.DatabaseUnavailable: 503,
    errors.DatabaseNotReady: 503,
}


def install(app: Flask) -> None:
    """Answer every exception of the app with a problem."""
    for kind, answer in (
        (errors.GradyardError, _gradyard_problem), (HTTPException, _http_problem), (Exception, _server_fault)
    ):  # fmt: skip
        app.register_error_handler(kind, partial(_shown, answer))


def _shown(answer: Callable[[Any], HTTPException | Response], error: Any) -> HTTPException | Response:
    """The answer to an error; a page where one looks who reads pages."""
    response, show = answer(error), current_app.extensions.get(SHOWS_PROBLEMS)
    if show is None or not isinstance(response, Response):
        return response
    page: Response = show(response)
    return page


def problem(status: int, kind: str, title: str, detail: str, **members: Any) -> Response:
    """A problem. `kind` is its `type`, one word for programs. 429 and 503 carry Retry-After."""
    body = Problem.of(type=kind, title=title, status=status, detail=visible(detail), **members)
    response = Response(dump_json(body), status, content_type=PROBLEM)
    if status in RETRY_AFTER_SECONDS:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS[status])
    return response


def _gradyard_problem(error: errors.GradyardError) -> Response:
    cause = next((cause for cause in type(error).__mro__ if cause in STATUSES), None)
    if cause is None:
        return _server_fault(error)
    title = (type(error).__doc__ or cause.__doc__ or "").splitlines()[0].rstrip(".")
    members: dict[str, Any] = {}
    if isinstance(error, errors.SpecInvalid):
        shown = error.problems[:ERRORS_SHOWN]
        members["errors"] = [FieldError.of(pointer=each.pointer, message=visible(each.message)) for each in shown]
    if isinstance(error, errors.AmbiguousId):
        members["candidates"] = [Candidate.of(**vars(each)) for each in error.candidates]
    if isinstance(error, errors.BatchInvalid):
        members["total"] = error.total
        members["errors"] = [
            FieldError.of(index=index, pointer=each.pointer, message=visible(each.message))
            for index, each in error.problems
        ]
    return problem(STATUSES[cause], _snake(cause.__name__), title, str(error), **members)


def answer_of(error: errors.GradyardError) -> bytes | None:
    """The body of the problem that would answer the error; None where the service can not, or not now, do without."""
    cause = next((cause for cause in type(error).__mro__ if cause in STATUSES), None)
    return _gradyard_problem(error).get_data() if cause and STATUSES[cause] < 500 else None


def _http_problem(error: HTTPException) -> HTTPException | Response:
    if error.code is None or error.code < 400:  # a redirect
        return error
    title = NEWER_PHRASES.get(error.code) or HTTPStatus(error.code).phrase
    missing = f"there is no {outer_path(request.path)} here; see {outer_path('/docs')}"
    detail = missing if error.code == 404 else error.description or title
    response = problem(error.code, _snake(title), title, detail)
    for name, value in error.get_headers():  # Allow of a 405, WWW-Authenticate of a 401
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def _server_fault(error: Exception) -> Response:
    request_id = g.get("request_id", "unknown")
    logger.error("request %s failed", request_id, exc_info=error)
    detail = f"this is a fault of the service, not of the request; its log has the cause, under request {request_id}"
    return problem(500, "internal_server_error", "Internal Server Error", detail)


def _snake(words: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z]+", "_", words).lower()
