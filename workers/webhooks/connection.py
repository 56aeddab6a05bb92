"""Connections to receivers: to the very address that was looked at, and not beyond a deadline."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import certifi
import httpcore

from gradyard.jobs.webhooks.addresses import REFUSED, Address, Reach

CONNECT_SECONDS = 5.0  # for each of its addresses
MOST_ADDRESSES = 4  # that are tried
WRITTEN_AT_ONCE = 4096  # bytes between two looks at the deadline

Resolve = Callable[[str, int], Iterable[str]]


class Refused(Exception):
    """No message goes there; the text says why."""


def trusted() -> ssl.SSLContext:
    """Certificates of the system and of `certifi`, and those that the variables SSL_CERT_FILE and SSL_CERT_DIR name."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of that name. Raises OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class CheckedBackend(httpcore.NetworkBackend):
    """Resolves a name once, looks at every address, and connects to one of them.

    A second look-up could find another address than the one that was looked at. TLS still asks for the name.
    """

    def __init__(self, reach: Reach, scheme: str, deadline: float, resolve: Resolve = addresses_of) -> None:
        self._reach, self._scheme, self._deadline, self._resolve = reach, scheme, deadline, resolve

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Connect to the first address that answers. Raises Refused where one of them may not be reached."""
        failure: Exception = httpcore.ConnectError("its name has no address")
        for address in self._checked(host, port)[:MOST_ADDRESSES]:
            seconds = min(CONNECT_SECONDS, left_until(self._deadline))
            try:
                connected = httpcore.SyncBackend().connect_tcp(str(address), port, timeout=seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _HurriedStream(connected, self._deadline)
        raise failure

    def _checked(self, host: str, port: int) -> list[Address]:
        try:
            found = [ipaddress.ip_address(each.partition("%")[0]) for each in self._resolve(host, port)]
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("its name cannot be resolved") from None
        # One that is not public among others is either a mistake or an attack; and the next try would choose anew.
        if not all(self._reach.allows(each, self._scheme) for each in found):
            raise Refused(f"the URL {REFUSED}")
        return found


class _HurriedStream(httpcore.NetworkStream):
    """A connection on which nothing waits beyond the deadline, however slowly the other side goes on."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=left_until(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for begin in range(0, len(buffer), WRITTEN_AT_ONCE):
            part = buffer[begin : begin + WRITTEN_AT_ONCE]
            self._stream.write(part, timeout=left_until(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, timeout=left_until(self._deadline))
        return _HurriedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def left_until(deadline: float) -> float:
    """How many seconds are left. Raises ReadTimeout where none are."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout
    return seconds
