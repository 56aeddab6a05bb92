"""A request asks for a path, of a host that is one; every other form is refused, in problem+json, by any route."""

from typing import Any
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from tests.service.conftest import AppWith
from tests.service.gunicorn_process import HOST, GunicornProcess

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ours = pytest.mark.parametrize("gunicorn", [None], ids=["gradyard's"], indirect=True)  # others have their own words
FORM = "application/problem+json"

NO_HOSTS = [
    "localhost#evil", "localhost/evil", "localhost?evil", "localhost\\evil", "localhost evil", "a@localhost",
    "localhost@evil.example", "localhost,evil", "localhost:x", "localhost:", "localhost:999999", ":80", "[::1",
    "::1", "[::1]x", "", "-", ".", "localhost..", "a:b", "localhost;x", "<b>", "%6cocalhost", "localhost%00", "*",
    "ex\u00e4mple",
]  # fmt: skip
HOSTS = ["localhost", "LOCALHOST:1", "127.0.0.1:65535", "[::1]", "[::1]:8000"]


@on_sqlite
@pytest.mark.parametrize("host", NO_HOSTS)
def test_a_host_that_is_none_is_refused_by_every_route(client: FlaskClient, host: str) -> None:
    for path in ("/v1/jobs", "/healthz", "/readyz", "/docs", "/nowhere"):
        refused: Any = client.get(path, environ_overrides={"HTTP_HOST": host.encode().decode("latin-1")})
        assert (refused.status_code, refused.content_type) == (400, FORM), path
        assert refused.json["type"] == "header_invalid"
        assert "Host" in refused.json["detail"]


@on_sqlite
@pytest.mark.parametrize("host", HOSTS)
def test_names_and_addresses_are_hosts(client: FlaskClient, host: str) -> None:
    assert client.get("/v1/jobs", headers={"Host": host}).status_code == 200
    complete = client.get("/v1/jobs", headers={"Host": "gradyard.example."})  # is a name, and not this machine's
    assert complete.status_code == 403


@on_sqlite
def test_only_http_1_0_may_have_no_host(app_with: AppWith) -> None:
    client = app_with(admin_key=SecretStr("key")).test_client()
    for protocol, status in (("HTTP/1.0", 200), ("HTTP/1.1", 400)):
        asked = client.get("/healthz", environ_overrides={"SERVER_PROTOCOL": protocol, "HTTP_HOST": ""})
        assert asked.status_code == status


@on_sqlite
def test_readiness_minds_the_host_where_no_key_is_needed(client: FlaskClient, app_with: AppWith) -> None:
    foreign = {"Host": "evil.example"}
    assert client.get("/readyz", headers=foreign).status_code == 403
    assert client.get("/readyz").status_code == client.get("/healthz", headers=foreign).status_code == 200
    assert app_with(admin_key=SecretStr("key")).test_client().get("/readyz", headers=foreign).status_code == 200


@on_sqlite
@pytest.mark.parametrize("path", ["//v1/jobs", "/v1//jobs", "///", "/%2fv1/jobs", "/v1/jobs//", "/v1%2F%2Fjobs"])
def test_two_slashes_are_no_path(client: FlaskClient, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        refused: Any = client.open("/", method=method, environ_overrides={"PATH_INFO": unquote(path)})
        assert (refused.status_code, refused.content_type) == (400, FORM)


def asked(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([line, *headers, b"", b""])


GET = b"GET /v1/jobs HTTP/1.1"
NO_REQUESTS = {
    "another host": asked(b"GET http://other/v1/jobs HTTP/1.1", HOST.strip()),
    "another host with a port": asked(b"GET http://localhost:1/v1/jobs HTTP/1.1", HOST.strip()),
    "another scheme": asked(b"GET ftp://localhost/v1/jobs HTTP/1.1", HOST.strip()),
    "half an address": asked(b"GET http://[::1/v1/jobs HTTP/1.1", HOST.strip()),
    "two slashes": asked(b"GET //v1/jobs HTTP/1.1", HOST.strip()),
    "two slashes and a host": asked(b"GET //localhost/v1/jobs HTTP/1.1", HOST.strip()),
    "escaped slashes": asked(b"GET /%2fv1/jobs HTTP/1.1", HOST.strip()),
    "a fragment": asked(b"GET /v1/jobs#x HTTP/1.1", HOST.strip()),
    "parameters in a fragment": asked(b"GET /v1/jobs#?project=x HTTP/1.1", HOST.strip()),
    "a space before the method": b" " + asked(GET, HOST.strip()),
    "a host in a second line": asked(GET, b"Host:\r\n localhost"),
    "chunks in a second line": asked(GET, HOST.strip(), b"Transfer-Encoding:\r\n chunked") + b"0\r\n\r\n",
    "chunks twice": asked(GET, HOST.strip(), b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")
    + b"0\r\n\r\n",
    "no slash": asked(b"GET v1/jobs HTTP/1.1", HOST.strip()),
    "a tunnel": asked(b"CONNECT localhost:80 HTTP/1.1", HOST.strip()),
    "another name in the host": asked(GET, b"Host: localhost#evil"),
    "two hosts": asked(GET, HOST.strip(), b"Host: evil"),
    "no host": asked(GET),
    "no words": asked(b"nonsense"),
    "no method": asked(b"get /v1/jobs HTTP/1.1", HOST.strip()),
    "letters of another alphabet": asked(b"GET /\xff HTTP/1.1", HOST.strip()),
    "a space in a name": asked(GET, HOST.strip(), b"X : y"),
    "a control character in a name": asked(GET, HOST.strip(), b"X\x01: y"),
    "a length below zero": asked(GET, HOST.strip(), b"Content-Length: -1"),
    "two lengths": asked(GET, HOST.strip(), b"Content-Length: 1", b"Content-Length: 2"),
    "a length and chunks": asked(GET, HOST.strip(), b"Content-Length: 3", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunks of HTTP/1.0": asked(b"GET /v1/jobs HTTP/1.0", HOST.strip(), b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a length of many digits": asked(GET, HOST.strip(), b"Content-Length: " + b"1" * 5000),
    "another version": asked(b"GET /v1/jobs HTTP/9.9", HOST.strip()),
    "lines without their ends": b"GET /v1/jobs HTTP/1.1\nHost: localhost\n\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}
NAMES_WITH_UNDERSCORES = [b"Script_Name: /v1", b"SCRIPT_NAME: /x", b"Path_Info: /x", b"Content_Length: 9", b"X_Y: z"]


@ours
@pytest.mark.slow
@pytest.mark.parametrize("sent", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_is_a_problem(gunicorn: GunicornProcess, sent: bytes) -> None:
    refused = gunicorn.asked(sent)
    assert (refused.status, refused.headers["content-type"], refused.json["status"]) == (400, FORM, 400), refused
    assert refused.json["detail"]


@ours
@pytest.mark.slow
@pytest.mark.parametrize("header", NAMES_WITH_UNDERSCORES)
def test_a_name_with_an_underscore_is_refused(gunicorn: GunicornProcess, header: bytes) -> None:
    refused = gunicorn.asked(asked(GET, HOST.strip(), header))
    assert (refused.status, refused.headers["content-type"]) == (400, FORM)
    assert header.partition(b":")[0].decode().lower() in refused.json["detail"]


@ours
@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (b"GET /" + b"a" * 200_000, (414,)), (asked(GET, HOST.strip(), b"X: " + b"a" * 200_000), (431,)),
        (asked(GET, HOST.strip(), *[b"X: y"] * 40_000), (431,)),
    ],
    ids=["a long path", "a long header", "many headers"],
)  # fmt: skip
def test_a_head_that_is_too_long_is_a_problem(gunicorn: GunicornProcess, sent: bytes, statuses: tuple[int]) -> None:
    refused = gunicorn.asked(sent)
    assert refused.status in statuses
    assert (refused.headers["content-type"], refused.json["status"]) == (FORM, refused.status)


@pytest.mark.slow
def test_what_other_servers_pass_on_is_refused_all_the_same(gunicorn: GunicornProcess) -> None:
    for name in (
        "another host", "two slashes", "escaped slashes", "a fragment", "parameters in a fragment",
        "another name in the host", "no host",
    ):  # fmt: skip
        refused = gunicorn.asked(NO_REQUESTS[name])
        assert (refused.status, refused.headers["content-type"]) == (400, FORM), name


@ours
@pytest.mark.slow
def test_an_expectation_that_is_not_met_is_refused(gunicorn: GunicornProcess) -> None:
    refused = gunicorn.asked(asked(GET, HOST.strip(), b"Expect: x"))
    assert (refused.status, refused.headers["content-type"], refused.json["type"]) == (417, FORM, "expectation_failed")
    assert gunicorn.asked(asked(GET, HOST.strip(), b"Expect: 100-continue", b"Content-Length: 0")).status == 200


@on_sqlite
def test_an_expectation_that_another_server_passes_on_is_refused(client: FlaskClient) -> None:
    refused: Any = client.get("/v1/jobs", headers={"Expect": "x"})
    assert (refused.status_code, refused.content_type, refused.json["type"]) == (417, FORM, "expectation_failed")
    assert client.get("/v1/jobs", headers={"Expect": "100-Continue"}).status_code == 200
