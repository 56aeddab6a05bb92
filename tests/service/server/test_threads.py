"""The threads of the server: some for work, one more for each request that only waits."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from tests.service.server.conftest import Serve, Served, says
from tests.service.server.test_channel import GET, hello
from tests.stack.until import until


def answers(served: Served) -> bool:
    """Whether it answers another request at once."""
    with served.connect(GET) as connection:
        connection.settimeout(1.0)
        try:
            return says(connection, b"hello 0")
        except TimeoutError:
            return False


def test_requests_that_wait_lend_their_threads_and_work_does_not(serve: Serve) -> None:
    go_on, within = threading.Event(), threading.Semaphore(0)
    waiting = [True]

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/wait":
            within.release()
            if waiting[0]:
                with served.threads.lend():
                    go_on.wait(60)
            else:
                go_on.wait(60)
        return hello(environ, start_response)

    served = serve(app, threads=2)
    held = [served.connect(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(20)]
    for _ in held:
        assert within.acquire(timeout=30)
    until(lambda: answers(served))
    waiting[0] = False
    held += [served.connect(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(2)]
    for _ in range(2):
        assert within.acquire(timeout=30)
    assert not answers(served)
    go_on.set()
    until(lambda: answers(served))
    until(lambda: len(served.threads.threads) <= 2)
    for each in held:
        each.close()
