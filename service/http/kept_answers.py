"""Answers about jobs that have ended: a client keeps them, and asks again only whether they are still true.

What such an answer says never changes, so its tag is a hash of the request and of the ends of its jobs. A job that runs
has none: the same steps are there with the next record, and more.
"""

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from flask import Response, request
from sqlalchemy import Row

from gradyard.jobs.states import FINISHED

VERSION = version("gradyard")  # another one may write the same numbers in other bytes
KEPT = "private, no-cache"  # kept by the client alone, which asks each time: the job may be deleted


def tag_of(jobs: Iterable[Row[Any]], form: str) -> str | None:
    """The tag of the answer to the current request in that form about these jobs; None where one has not ended."""
    digest = hashlib.sha256(f"{VERSION} {form} {request.full_path}".encode())
    for job in jobs:
        if job.state not in FINISHED:
            return None
        digest.update(f" {job.id} {job.finished_at!r}".encode())
    return digest.hexdigest()


def unchanged(tag: str | None) -> Response | None:
    """The answer 304 where the client has the one of that tag already; None where it needs it, or does not say which.

    `If-None-Match: *` is met by any answer, but only if there is one: `with_tag` looks at it when it has been made.
    """
    if tag is None or request.if_none_match.star_tag or not request.if_none_match.contains_weak(tag):
        return None
    return with_tag(Response(status=304), tag)


def with_tag(response: Response, tag: str | None) -> Response:
    """The response with its tag, and with what a cache must know; 304 in its place where the client has any answer."""
    if tag is not None and request.if_none_match.star_tag:
        response = Response(status=304)
    response.headers["Vary"] = "Accept"
    if tag is not None:
        response.set_etag(tag)
        response.headers["Cache-Control"] = KEPT
    return response
