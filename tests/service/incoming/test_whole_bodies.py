"""A body that was cut off is refused, and never taken for a whole one."""

import io
from typing import Any

import orjson
import pytest
from flask_openapi3.openapi import OpenAPI
from sqlalchemy import func, select

from gradyard.store.database import Database
from gradyard.store.tables import IdempotencyKey, Job
from service.http.errors import BodyIncomplete
from service.http.incoming.whole_requests import TAKE_A_BODY, WholeBody
from tests.service.gunicorn_process import Answer, GunicornProcess, post
from tests.service.routes_for_tests import requests_of

JOB = b'{"stage": "nn", "steps": 4}'
LINES = [JOB + b"\n"] * 10
NDJSON = b"application/x-ndjson"
CHUNKED = b"Transfer-Encoding: chunked"


def of_length(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


def assert_refused(answer: Answer) -> None:
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json"), answer.body
    assert answer.json["type"] in ("body_incomplete", "bad_request")
    assert answer.json["detail"]


@pytest.mark.slow
def test_four_lines_of_ten_are_no_batch_and_the_retry_is_the_first(gunicorn: GunicornProcess) -> None:
    whole = b"".join(LINES)
    headers = (of_length(whole), b"Idempotency-Key: lines")
    cut = gunicorn.asked(post("/v1/batches", b"".join(LINES[:4]), *headers, kind=NDJSON))
    assert_refused(cut)
    again = gunicorn.asked(post("/v1/batches", whole, *headers, kind=NDJSON))
    assert (again.status, again.json["size"]) == (202, 10)
    assert "idempotent-replayed" not in again.headers


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/batches"])
@pytest.mark.parametrize(
    "chunks",
    [
        b"%x\r\n%s\r\n", b"%x\r\n%s", b"%x\r\n%s\r\n0", b"%x\r\n%s\r\n0\r\n",
        b"%x\r\n%s\r\n0\r\nTrailer: cut",
    ],
)  # fmt: skip
def test_chunks_without_an_end_are_refused(gunicorn: GunicornProcess, path: str, chunks: bytes) -> None:
    body = JOB if path == "/v1/jobs" else b'{"jobs": [%s]}' % JOB
    assert_refused(gunicorn.asked(post(path, chunks % (len(body), body), CHUNKED)))
    whole = gunicorn.asked(post(path, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), CHUNKED))
    assert whole.status == 202


@pytest.mark.slow
@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n%s\r\n0\r\n\r\n", b"-1\r\n%s\r\n0\r\n\r\n", b"0x1b\r\n%s\r\n0\r\n\r\n", b"1b\r\n%sX\r\n0\r\n\r\n",
        b"\r\n%s", b"1b;=\r\n%s\r\n0\r\n\r\n", b"1b;" + b"x" * 10_000,
    ],
)  # fmt: skip
def test_chunks_that_are_none_are_refused(gunicorn: GunicornProcess, chunks: bytes) -> None:
    body = chunks % JOB if b"%" in chunks else chunks
    assert_refused(gunicorn.asked(post("/v1/jobs", body, CHUNKED)))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("sent", [b"", b"{}", b'{"stage": "nn"}', b'{"jobs": [{"stage": "nn"}]}'])
def test_every_route_refuses_a_body_that_was_cut_off(app: OpenAPI, database: Database, sent: bytes) -> None:
    client = app.test_client()
    for method, path, endpoint in requests_of(app):
        body = {"wsgi.input": io.BytesIO(sent), "wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(sent) + 1)}
        answer: Any = client.open(path, method=method, content_type="application/json", environ_overrides=body)
        if method == "OPTIONS" or (answer.status_code == 404 and endpoint in TAKE_A_BODY):  # before the body is read
            continue
        assert answer.status_code == 400, f"{method} {path} {answer.status}"
        assert method == "HEAD" or answer.json["type"] == "body_incomplete"
    with database.read() as connection:
        for table in (Job, IdempotencyKey):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_what_was_refused_once_is_never_a_whole_body() -> None:
    stream = WholeBody(io.BytesIO(b"half"), 8)
    for _ in range(3):
        with pytest.raises(BodyIncomplete, match="after 4 of its 8 bytes"):
            stream.read()
    assert WholeBody(io.BytesIO(b"whole"), 5).read() == b"whole"
    assert WholeBody(io.BytesIO(b"any"), None).read() == b"any"
    assert orjson.loads(WholeBody(io.BytesIO(JOB), len(JOB)).read())
