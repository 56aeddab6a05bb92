"""Answers that refuse a request, as errors."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from gradyard.client.errors import JobNotFound, RefusedByService
from gradyard.shapes.problems import FieldError


def retry_after(answer: httpx.Response) -> float | None:
    """Seconds from the Retry-After header, in either of its forms (RFC 9110); None without or with a wrong one."""
    text = answer.headers.get("Retry-After", "")
    try:
        if text.isdigit():
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def refusal_of(answer: httpx.Response) -> RefusedByService:
    """The problem+json (RFC 9457) of an answer as an error; for other bodies, as of a proxy, its status line."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    errors = tuple(
        FieldError(
            pointer=str(error.get("pointer", "")), message=str(error.get("message", "")), index=error.get("index")
        )
        for error in problem.get("errors") or ()
        if isinstance(error, dict)
    )
    kind = JobNotFound if problem and _is_of_job(answer, str(problem.get("detail"))) else RefusedByService
    return kind(
        answer.status_code,
        str(problem.get("title") or answer.reason_phrase or "refused"),
        str(problem.get("detail") or ""),
        errors,
    )


def _is_of_job(answer: httpx.Response, detail: str) -> bool:
    """Whether the job of the path is not there, rather than one of its artifacts or metrics."""
    path = answer.request.url.raw_path.decode().partition("?")[0]  # not decoded: an id may have a slash
    is_part = re.search(r"/v1/jobs/[^/]+/[^/]+/.", path) is not None
    if answer.status_code == 410:
        return "/v1/jobs/" in path
    return answer.status_code == 404 and "/v1/jobs/" in path and (not is_part or detail.startswith("there is no job"))


def refusal_in_stream(problem: Mapping[str, Any]) -> RefusedByService:
    """The problem that ends a stream as an error."""
    status = int(problem.get("status") or 500)
    kind = JobNotFound if status in (404, 410) and "job" in problem else RefusedByService
    return kind(status, str(problem.get("title") or "refused"), str(problem.get("detail") or ""))
