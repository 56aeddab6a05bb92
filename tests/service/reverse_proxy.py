"""A little reverse proxy as a process of its own would be: it takes a prefix off, and tells so in headers."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length"}


class PrefixProxy:
    """A WSGI app that hands requests below `prefix` on to `behind`, with the headers that nginx is told to send."""

    def __init__(self, behind: str, prefix: str) -> None:
        self._http = httpx.Client(base_url=behind, trust_env=False, timeout=30.0)
        self._prefix = prefix

    def __call__(self, environ: Any, start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        if not request.path.startswith(f"{self._prefix}/"):
            return Response("not of the service", 404)(environ, start_response)
        headers = {name: text for name, text in request.headers if name.lower() not in ("host", *HOP_BY_HOP)}
        headers |= {
            "X-Forwarded-For": request.remote_addr or "", "X-Forwarded-Proto": request.scheme,
            "X-Forwarded-Host": request.host, "X-Forwarded-Prefix": self._prefix,
        }  # fmt: skip
        path = request.full_path.rstrip("?").removeprefix(self._prefix)
        answer = self._http.request(request.method, path, headers=headers, content=request.get_data())
        kept = [(name, text) for name, text in answer.headers.items() if name.lower() not in HOP_BY_HOP]
        return Response(answer.content, answer.status_code, kept)(environ, start_response)

    def close(self) -> None:
        self._http.close()


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """The URL of a WSGI app that answers on a loopback port until the block ends."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
