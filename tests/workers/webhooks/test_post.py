"""One try of a message, to real servers: signed, to no address that is not allowed, and never for long."""

import shutil
import socket
import ssl
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from gradyard.jobs.webhooks.addresses import Reach
from gradyard.jobs.webhooks.schedule import MOST_ASKED_SECONDS
from gradyard.jobs.webhooks.signing import new_secret
from gradyard.store.webhooks.claims import Try
from gradyard.store.webhooks.deliveries import Answered
from tests.store.webhooks.webhooks_for_tests import SECRET
from tests.workers.webhooks.receivers import BODY, NAME, Authority, Receiver, a_try, receiving, talking
from workers.webhooks.connection import trusted
from workers.webhooks.post import ANSWER_BYTES, Post, host_header

HERE = Reach.parse("http, 127.0.0.0/8")
SHORT = 0.5  # seconds of a try that is to be over


def send(message: Try, reach: Reach = HERE, seconds: float = 60.0) -> Answered:
    return Post(reach, trusted(), try_seconds=seconds)(message)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Of this file alone."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the command openssl")
    return Authority.make(tmp_path_factory.mktemp("authority"))


def test_a_message_is_verified_by_the_library_of_standard_webhooks() -> None:
    with receiving(Receiver()) as receiver:
        message = a_try(receiver.url)
        assert send(message).accepted
    ((headers, body),) = receiver.received
    assert Verifier(SECRET).verify(body, headers)["data"] == {"name": "grün"}
    assert (body.decode(), headers["webhook-id"]) == (BODY, str(message.id))
    assert headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(body.replace(b"test", b"tess"), headers)


def test_for_the_time_of_a_rotation_both_secrets_verify() -> None:
    new, old = new_secret(), new_secret()
    with receiving(Receiver()) as receiver:
        assert send(a_try(receiver.url, new, old)).accepted
    ((headers, body),) = receiver.received
    for secret in (new, old):
        Verifier(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(body, headers)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_every_answer_of_200_to_299_accepts_the_message(status: int) -> None:
    with receiving(Receiver([status])) as receiver:
        answered = send(a_try(receiver.url))
    assert (answered.accepted, answered.status, answered.error) == (True, status, None)


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_other_answers_do_not_and_their_beginning_is_kept(status: int) -> None:
    with receiving(Receiver([status], content=b"no room for it")) as receiver:
        answered = send(a_try(receiver.url))
    assert (answered.accepted, answered.status, answered.answer) == (False, status, "no room for it")
    assert answered.error == f"it answered {status}"


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "120", 120.0), (503, "7", 7.0), (503, "1000000", MOST_ASKED_SECONDS), (429, "in a while", None),
        (429, "-1", None), (503, "Wed, 21 Oct 2015 07:28:00 GMT", 0.0), (503, "9" * 400, MOST_ASKED_SECONDS),
        (500, "120", None), (200, "120", None),
    ],
)  # fmt: skip
def test_a_receiver_may_ask_for_a_pause(status: int, header: str, seconds: float | None) -> None:
    with receiving(Receiver([status], {"Retry-After": header})) as receiver:
        assert send(a_try(receiver.url)).asked_seconds == seconds


def test_a_pause_may_be_asked_for_as_a_date_by_the_clock_of_the_signature() -> None:
    with receiving(Receiver([503])) as receiver:
        message = replace(a_try(receiver.url), at=1_000_000_000.0)
        receiver.headers["Retry-After"] = "Sun, 09 Sep 2001 01:56:40 GMT"  # ten minutes after that
        asked = send(message).asked_seconds
    assert asked is not None
    assert 500 < asked <= 600


def test_the_host_is_named_as_it_stands_in_a_url() -> None:
    hosts = {
        "https://[2606:4700::1111]:8443/": "[2606:4700::1111]:8443", "https://[2606:4700::1111]/": "[2606:4700::1111]",
        "https://example.org/": "example.org", "https://example.org:8443/": "example.org:8443",
    }  # fmt: skip
    assert {url: host_header(Reach().target(url)) for url in hosts} == hosts
    with receiving(Receiver()) as receiver:
        assert send(a_try(receiver.url)).accepted
    ((headers, _),) = receiver.received
    assert headers["host"] == urlsplit(receiver.url).netloc


def test_a_redirect_is_not_followed() -> None:
    with receiving(Receiver()) as elsewhere, receiving(Receiver([307], {"Location": elsewhere.url})) as receiver:
        answered = send(a_try(receiver.url))
    assert (answered.accepted, answered.status, elsewhere.received) == (False, 307, [])
    assert "redirects are not followed" in str(answered.error)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(Receiver()) as proxy, receiving(Receiver()) as receiver:
        for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        assert send(a_try(receiver.url)).accepted
    assert proxy.received == []


def test_of_a_large_answer_only_the_beginning_is_read() -> None:
    sent, closed = [0], threading.Event()

    def endless(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent[0] += 65536
        except OSError:
            closed.set()

    with talking(endless) as url:
        answered = send(a_try(url))
        assert closed.wait(60)
    assert answered.accepted
    assert answered.answer == "x" * ANSWER_BYTES
    assert sent[0] < 64 * 2**20  # what the system keeps between two sockets


def trickle(connection: socket.socket) -> None:
    """A byte at a time: each is soon enough for a timeout of one read."""
    connection.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + b"x" * 10000:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def silence(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


GIVEN_UP = threading.Event()


def deafness(connection: socket.socket) -> None:
    """It reads nothing at all."""
    GIVEN_UP.wait(300)


@pytest.mark.parametrize("talk", [trickle, silence, deafness])
def test_no_receiver_takes_longer_than_a_try_may_take(talk: object) -> None:
    GIVEN_UP.clear()
    with talking(talk) as url:  # type: ignore[arg-type]
        answered = send(a_try(url, body=BODY * (100_000 if talk is deafness else 1)), seconds=SHORT)
        GIVEN_UP.set()
    assert not answered.accepted
    assert answered.error == f"it did not answer within {SHORT:g} s"


def mail(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"220 mail ready\r\n")
    connection.shutdown(socket.SHUT_WR)
    silence(connection)  # what is not read would reset the connection, and its sender might not see the answer


def test_an_answer_that_is_not_http_is_a_failure() -> None:
    with talking(mail) as url:
        assert "is not HTTP" in str(send(a_try(url)).error)


def test_a_receiver_that_is_not_there_is_a_failure() -> None:
    with receiving(Receiver()) as receiver:
        pass
    answered = send(a_try(receiver.url))
    assert (answered.accepted, answered.status) == (False, None)
    assert "refused" in str(answered.error)


def resolving(*addresses: str, reach: Reach, tls: ssl.SSLContext | None = None) -> Post:
    return Post(reach, tls or trusted(), lambda host, port: addresses)


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("169.254.169.254",), ("8.8.8.8", "10.0.0.1"), ("::ffff:127.0.0.1",), ("fe80::1%2",)]
)
def test_a_name_with_an_address_that_is_not_public_is_refused_before_anything_is_sent(
    addresses: tuple[str, ...],
) -> None:
    with receiving(Receiver()) as receiver:
        port = urlsplit(receiver.url).port
        answered = resolving(*addresses, reach=Reach())(a_try(f"https://{NAME}:{port}/"))
    assert (answered.accepted, answered.status, receiver.received) == (False, None, [])
    assert "not public" in str(answered.error)
    assert not any(address in str(answered.error) for address in addresses), "it would tell of another network's names"


def test_a_name_is_resolved_once_and_the_very_address_that_was_looked_at_is_used(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the second look-up would lead elsewhere."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    lookups: list[str] = []
    real = socket.getaddrinfo

    def looked_up(host: str, *more: Any, **options: Any) -> Any:
        lookups.append(host)
        return real(host, *more, **options)

    with receiving(Receiver(), authority.of_server()) as receiver:
        port = urlsplit(receiver.url).port
        monkeypatch.setattr(socket, "getaddrinfo", looked_up)
        post = Post(HERE, authority.trusted(), lambda host, port: next(answers))
        assert post(a_try(f"https://{NAME}:{port}/")).accepted
    assert next(answers) == ["10.0.0.1"], "there was no second look-up"
    assert NAME not in lookups
    assert receiver.received[0][0]["host"] == f"{NAME}:{port}"


def test_the_certificate_must_be_of_the_name_and_of_a_known_authority(authority: Authority) -> None:
    with receiving(Receiver(), authority.of_server()) as receiver:
        port = urlsplit(receiver.url).port
        known = resolving("127.0.0.1", reach=HERE, tls=authority.trusted())
        assert known(a_try(f"https://{NAME}:{port}/")).accepted
        wrong_name = known(a_try(f"https://other.test:{port}/"))
        unknown = resolving("127.0.0.1", reach=HERE)(a_try(f"https://{NAME}:{port}/"))
    assert "certificate" in str(wrong_name.error)
    assert "certificate" in str(unknown.error)
    assert len(receiver.received) == 1


def test_an_authority_of_the_laboratory_is_trusted_by_a_variable_of_openssl(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(Path(authority.folder) / "ca.pem"))
    with receiving(Receiver(), authority.of_server()) as receiver:
        port = urlsplit(receiver.url).port
        assert resolving("127.0.0.1", reach=HERE)(a_try(f"https://{NAME}:{port}/")).accepted


def test_what_the_operator_allows_no_longer_is_refused_at_the_next_try() -> None:
    with receiving(Receiver()) as receiver:
        answered = send(a_try(receiver.url), Reach())
    assert (answered.accepted, receiver.received) == (False, [])
    assert "https://" in str(answered.error)
