"""Receivers of webhooks: real servers on this machine, with a certificate authority of the tests' own."""

import http.server
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradyard.jobs.identifiers import new_id
from gradyard.store.webhooks.claims import Try
from tests.store.webhooks.webhooks_for_tests import SECRET

NAME = "receiver.test"
BODY = '{"type":"webhook.test","timestamp":"2026-01-01T00:00:00Z","data":{"name":"grün"}}'


def a_try(url: str, *secrets: str, body: str = BODY) -> Try:
    """The first try of a message to that URL."""
    return Try(new_id(), new_id(), body, url, secrets or (SECRET,), new_id(), 1, time.time())


@dataclass
class Receiver:
    """A server that notes what it is sent. `answers`: the status of each answer in order, the last one for all after.

    Its `url` is that of 127.0.0.1.
    """

    answers: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    before: Callable[[], Any] = lambda: None  # an answer
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @property
    def ids(self) -> list[str]:
        """The `webhook-id` of each message so far."""
        return [headers["webhook-id"] for headers, _ in self.received]


@contextmanager
def receiving(receiver: Receiver, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Let it listen on a port of this machine during the block."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            receiver.before()
            status = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            if receiver.content:
                self.send_header("Content-Length", str(len(receiver.content)))
            self.end_headers()
            self.wfile.write(receiver.content)

        def log_message(self, *_: Any) -> None: ...

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None: ...  # a sender that left is no fault of the receiver

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}/hook?from=gradyard"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def talking(talk: Callable[[socket.socket], Any]) -> Iterator[str]:
    """A server that does this with the first connection. The URL of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                connection, _ = listening.accept()
                with connection:
                    talk(connection)
            except OSError:
                return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


@dataclass(frozen=True)
class Authority:
    """A certificate authority, and a server's certificate for NAME that it signed."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """Make both with the command openssl."""
        made = cls(folder)
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3")
        made._openssl("req", "-x509", *new_key, "-subj", "/CN=tests", "-keyout", "ca.key", "-out", "ca.pem")
        made._openssl("req", *new_key[:-2], "-subj", f"/CN={NAME}", "-keyout", "server.key", "-out", "server.csr")
        (folder / "names").write_text(f"subjectAltName=DNS:{NAME}\n")
        made._openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "3", "-extfile", "names", "-out", "server.pem")  # fmt: skip
        return made

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def of_server(self) -> ssl.SSLContext:
        """What the server shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return context

    def trusted(self) -> ssl.SSLContext:
        """For one that trusts this authority."""
        return ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
