"""A server that speaks S3, in a process of its own: moto's, on a loopback port."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from gradyard.store.files.names import MARKER
from tests.servers import free_port

KEY, SECRET = "AKIAKEYOFTHETESTS", "secret-canary-of-the-tests"


@dataclass
class BucketServer:
    """A server, and its process. It believes every key until it is told to refuse those that it does not know."""

    url: str
    process: "subprocess.Popen[bytes]"

    @classmethod
    @contextlib.contextmanager
    def start(cls) -> Iterator["BucketServer"]:
        """Start a server, and wait until it answers. It ends with the block."""
        port = free_port()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server = cls(f"http://127.0.0.1:{port}", process)
        try:
            server._wait_until_it_answers()
            yield server
        finally:
            process.kill()
            process.wait()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a client finds it. No proxy is asked for it."""
        return {
            "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url, "AWS_ALLOW_HTTP": "true", "NO_PROXY": "127.0.0.1",
        }  # fmt: skip

    def make_bucket(self, name: str) -> None:
        """Make a bucket of that name."""
        self._ask("PUT", f"/{name}")

    def objects(self, bucket: str) -> set[str]:
        """The names of all objects in the bucket but markers."""
        found = re.findall("<Key>(.*?)</Key>", self._ask("GET", f"/{bucket}?list-type=2"))
        return {name for name in found if not name.endswith(MARKER)}

    def unfinished_uploads(self, bucket: str) -> int:
        """How many uploads in parts were begun, and neither finished nor given up."""
        return len(re.findall("<UploadId>", self._ask("GET", f"/{bucket}?uploads")))

    @contextlib.contextmanager
    def refusing_unknown_keys(self) -> Iterator[None]:
        """Refuse every key within the block, since it knows none."""
        self._ask("POST", "/moto-api/reset-auth", b"0")
        try:
            yield
        finally:
            self._ask("POST", "/moto-api/reset-auth", b"inf")

    def freeze(self) -> None:
        """Let it answer nothing, though its port is open, until `thaw`."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        os.kill(self.process.pid, signal.SIGCONT)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> str:
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "text/plain"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return str(answer.read().decode())

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + 120
        while True:
            try:
                self._ask("GET", "/moto-api/data.json")
                return
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the S3 server did not start") from None
                time.sleep(0.05)
