"""The AsyncClient has the methods of the Client, and an event loop goes on beside them."""

import asyncio
import json
import pickle
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradyard import AsyncClient, Client, RefusedByService, Unreachable, WaitTimeout
from gradyard.client.definitions import Asks, Iterates, finish
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, answering, job, problem

Line = dict[str, Any]


def run(url: str, use: Callable[[AsyncClient], Awaitable[Any]], **options: Any) -> Any:
    """What `use` returns in an event loop, with an AsyncClient of this service."""

    async def whole() -> Any:
        async with AsyncClient(url, **options) as client:
            return await use(client)

    return asyncio.run(whole())


@pytest.fixture
def endless() -> Iterator[tuple[str, threading.Event, threading.Event]]:
    """A service that begins an answer and never ends it; events for a request that came and a connection that went."""
    came, went = threading.Event(), threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                asked = connection.recv(65536)
                if b"/export" in asked:
                    line = json.dumps({**job(), "dtype": "<f4", "losses": "AACAPw=="}).encode() + b"\n"
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + line * 3)
                came.set()
                while connection.recv(65536):
                    pass
            went.set()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", came, went
        thread.join(timeout=60)


def test_both_clients_have_every_method_from_one_definition() -> None:
    both = [
        {name for kind in each.__mro__ for name, found in vars(kind).items() if isinstance(found, Asks | Iterates)}
        for each in (Client, AsyncClient)
    ]
    assert both[0] == both[1] > {"submit", "wait", "wait_batch", "sweep", "export_jobs", "audit", "drain"}
    assert asyncio.iscoroutinefunction(AsyncClient.wait)
    assert not asyncio.iscoroutinefunction(Client.wait)
    assert Client.wait.__doc__ == AsyncClient.wait.__doc__


def test_a_job_is_submitted_waited_for_and_listed() -> None:
    def respond(asked: Asked) -> Said:
        if asked.method == "POST":
            return Said(202, job())
        if asked.path == "/v1/jobs":
            more = "c" if "cursor" not in asked.params else None
            return Said(200, {"jobs": [job()], "next_cursor": more})
        return Said(200, job(state="succeeded", steps_done=2000))

    async def use(client: AsyncClient) -> None:
        submitted = await client.submit(stage="nn", learning_rate=np.float64(0.5))
        ended = await client.wait(submitted)
        assert (submitted.id, ended.id, ended.succeeded) == (JOB_ID, JOB_ID, True)
        assert [each.id async for each in client.jobs(state="queued")] == [JOB_ID] * 2
        assert (await client.jobs.get(ended)).succeeded

    with FakeService(respond).running() as service:
        run(service.url, use)
    assert json.loads(service.asked[0].body)["learning_rate"] == 0.5
    assert service.asked[0].headers["Idempotency-Key"]


def test_a_refusal_is_the_error_of_the_client() -> None:
    async def use(client: AsyncClient) -> None:
        with pytest.raises(RefusedByService, match="409"):
            await client.cancel("x")

    with answering(problem(409, "It is finished")) as service:
        run(service.url, use)


def test_a_busy_service_is_asked_again_while_the_loop_goes_on() -> None:
    ticked = threading.Event()
    busy = Said(429, problem(429, "busy").body, {"Retry-After": "1"})

    def respond(asked: Asked) -> Said:
        return Said(202, job()) if ticked.is_set() else busy

    async def use(client: AsyncClient) -> None:
        asked = asyncio.ensure_future(client.submit(stage="nn"))
        while not service.asked:
            await asyncio.sleep(0.01)
        ticked.set()  # the loop comes here between two tries of one request
        assert (await asked).id == JOB_ID

    with FakeService(respond).running() as service:
        run(service.url, use, retry_seconds=60)


def test_tasks_share_a_client_and_wait_side_by_side() -> None:
    together = threading.Barrier(8, timeout=60)

    def respond(asked: Asked) -> Said:
        together.wait()  # no answer before all have asked
        return Said(200, job(state="succeeded"))

    async def use(client: AsyncClient) -> list[Any]:
        return await asyncio.gather(*(client.wait("x") for _ in range(8)))

    with FakeService(respond).running() as service:
        assert len(run(service.url, use)) == 8


def test_a_cancelled_task_closes_its_connection_at_once(
    endless: tuple[str, threading.Event, threading.Event],
) -> None:
    url, came, went = endless

    async def use(client: AsyncClient) -> None:
        task = asyncio.ensure_future(client.wait("x"))
        assert await asyncio.to_thread(came.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(went.wait, 60), "the connection is open, and the client is not closed"

    run(url, use)


def test_leaving_a_stream_closes_its_connection(endless: tuple[str, threading.Event, threading.Event]) -> None:
    url, _, went = endless

    async def use(client: AsyncClient) -> None:
        async with aclosing(client.export_jobs("b")) as found:
            async for each, losses in found:
                assert (each.id, losses.tolist()) == (JOB_ID, [1.0])
                break
        assert await asyncio.to_thread(went.wait, 60)

    run(url, use)


def test_leaving_a_stream_of_the_blocking_client_closes_its_connection(
    endless: tuple[str, threading.Event, threading.Event],
) -> None:
    url, _, went = endless
    with Client(url) as client:
        for each, _ in client.export_jobs("b"):
            assert each.id == JOB_ID
            break
        assert went.wait(60)


def test_an_export_is_written_beside_the_loop(tmp_path: Path) -> None:
    with answering(Said(200, b"id\n1\n")) as service:
        path = run(service.url, lambda client: client.export("b", path=tmp_path / "jobs.csv"))
    assert path.read_bytes() == b"id\n1\n"


def test_a_wait_for_a_batch_ends_with_its_timeout_and_says_how_far_it_came() -> None:
    counts = {"queued": 0, "running": 1, "succeeded": 2, "failed": 1}
    batch = {"id": "b", "size": 4, "state": "running", "counts": counts}

    async def use(client: AsyncClient) -> None:
        with pytest.raises(WaitTimeout, match=r"batch b is still running after 0\.2 s, with 3 of 4 jobs finished"):
            await client.wait_batch("b", timeout=0.2)

    with answering(Said(200, batch)) as service:
        run(service.url, use)


def test_the_blocking_client_works_where_an_event_loop_runs() -> None:
    async def cell_of_a_notebook(url: str) -> list[str]:
        with Client(url) as client:
            return [each.id for each in client.jobs()]

    with answering(Said(200, {"jobs": [job()], "next_cursor": None})) as service:
        assert asyncio.run(cell_of_a_notebook(service.url)) == [JOB_ID]


def test_an_unreachable_service_is_said_in_the_same_words() -> None:
    async def use(client: AsyncClient) -> str:
        with pytest.raises(Unreachable) as caught:
            await client.stages()
        return str(caught.value)

    with answering(Said()) as service:
        pass
    with Client(service.url, retry_seconds=0) as client, pytest.raises(Unreachable) as caught:
        client.stages()
    assert run(service.url, use, retry_seconds=0) == str(caught.value)


def test_an_async_client_may_be_pickled() -> None:
    copied = pickle.loads(pickle.dumps(AsyncClient("http://there:1", project="physics")))
    assert repr(copied) == "AsyncClient('http://there:1', project='physics')"


def test_a_method_that_would_wait_for_a_loop_is_told_so() -> None:
    with pytest.raises(RuntimeError, match="waited for an event loop"):
        finish(asyncio.sleep(0))
