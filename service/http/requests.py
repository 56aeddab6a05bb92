"""Bodies and headers of requests that submit or change something."""

from collections.abc import Collection

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from gradyard.jobs.errors import BodyMalformed
from service.http.errors import HeaderInvalid
from service.http.services import current_services

JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"


def json_body(smallest: str = '{"stage": "tensor"}', *, types: Collection[str] = (JSON,)) -> bytes:
    """The request's body; 400 where there is none, 413 where it is too large, 415 where it is no JSON."""
    body = request.get_data(cache=False)
    # Flask cuts a chunked body off at the app's limit without an error; the limit is one byte over the setting.
    if len(body) > current_services().settings.max_json_bytes:
        raise RequestEntityTooLarge
    if not body:
        raise BodyMalformed(f"there is no body; the smallest is {smallest}")
    if request.mimetype not in types:
        raise UnsupportedMediaType(f"send the body as Content-Type: {JSON}")
    refuse_encoded()
    return body


def optional_json_body() -> bytes:
    """The request's body, `{}` where there is none; 413 where it is too large, 415 where it is no JSON."""
    return json_body() if request.get_data() else b"{}"


def refuse_encoded() -> None:
    """UnsupportedMediaType where the body is compressed: a small one may expand to gigabytes."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType("send the body as it is, without a Content-Encoding")


def idempotency_key() -> str | None:
    """The request's Idempotency-Key; HeaderInvalid where it is not valid."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise HeaderInvalid("Idempotency-Key: must be 1 to 255 printable ASCII characters")
    return key
