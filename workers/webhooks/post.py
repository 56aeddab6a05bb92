"""One try of a message: it is signed, sent, and its answer is read as far as it is of use."""

import ssl
import time
from dataclasses import dataclass

import httpcore

from gradyard.jobs.webhooks.addresses import DEFAULT_PORTS, Reach, Target
from gradyard.jobs.webhooks.schedule import asked_seconds
from gradyard.jobs.webhooks.signing import signed_headers
from gradyard.store.webhooks.claims import Try
from gradyard.store.webhooks.deliveries import Answered
from workers.webhooks.connection import CheckedBackend, Refused, Resolve, addresses_of

TRY_SECONDS = 15.0  # from the look-up of the name to the end of what is read
ANSWER_BYTES = 1024  # that are read and kept; the status is what counts
_SECONDS_LONGER = dict.fromkeys(("connect", "read", "write", "pool"), TRY_SECONDS)  # the deadline comes first


@dataclass(frozen=True)
class Post:
    """How messages are sent: where they may go, which certificates are trusted, how names are looked up.

    No redirect is followed, and no proxy of the environment is used: both would lead past the look at the address.
    """

    reach: Reach
    tls: ssl.SSLContext
    resolve: Resolve = addresses_of
    try_seconds: float = TRY_SECONDS

    def __call__(self, message: Try) -> Answered:
        """Send the message once. It always returns, within about `try_seconds`: a failure is an answer as well."""
        began = time.monotonic()
        status, answer, error, asked = None, None, None, None
        try:
            status, content, retry_after = self._send(message, began + self.try_seconds)
            answer = content.decode("utf-8", "replace")
            asked = asked_seconds(status, retry_after, message.now())
            if 300 <= status < 400:
                error = f"it answered {status}; redirects are not followed, so give the webhook the new URL"
            elif not 200 <= status < 300:
                error = f"it answered {status}"
        except Refused as refused:
            error = str(refused)
        except Exception as failure:  # whatever a receiver can cause: the next message must go all the same
            error = _words(failure, self.try_seconds)
        return Answered(status, answer, error, time.monotonic() - began, asked)

    def _send(self, message: Try, deadline: float) -> tuple[int, bytes, str]:
        """The status, the beginning of the content, and what Retry-After says."""
        try:
            target = self.reach.target(message.url)
        except ValueError as wrong:  # the operator allows less than when it was made
            raise Refused(f"the URL {wrong}") from None
        body = message.body.encode()
        headers = {"Content-Type": "application/json", "User-Agent": "gradyard", "Accept": "*/*"}
        headers |= signed_headers(str(message.id), int(message.now()), body, message.secrets)
        headers["Host"] = host_header(target)
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        backend = CheckedBackend(self.reach, target.scheme, deadline, self.resolve)
        with (
            httpcore.ConnectionPool(ssl_context=self.tls, network_backend=backend) as connections,
            connections.stream("POST", url, headers=list(headers.items()), content=body,
                               extensions={"timeout": _SECONDS_LONGER}) as response,
        ):  # fmt: skip
            content = b""
            for part in response.iter_stream():
                content += part
                if len(content) >= ANSWER_BYTES:
                    break
            told = (value for name, value in response.headers if name.lower() == b"retry-after")
            return response.status, content[:ANSWER_BYTES], next(told, b"").decode("latin-1")


def host_header(target: Target) -> str:
    """The host of a request, as HTTP writes it: an address of IPv6 in brackets, a port that is not the usual one."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == DEFAULT_PORTS[target.scheme] else f"{host}:{target.port}"


def _words(failure: Exception, seconds: float) -> str:
    if isinstance(failure, httpcore.ConnectTimeout):
        return "it could not be reached in time"
    if isinstance(failure, httpcore.TimeoutException):
        return f"it did not answer within {seconds:g} s"
    if isinstance(failure, httpcore.ProtocolError):
        return f"its answer is not HTTP: {failure}"
    return str(failure) or type(failure).__name__
