"""Jobs and batches are followed over streams that break, by a Client that blocks and by one that is awaited."""

import asyncio
import json
from threading import Event
from typing import Any, assert_type

import numpy as np
import pytest

from gradyard import AnswerNotUnderstood, AsyncClient, Batch, Client, Job, JobNotFound, RefusedByService, Unreachable
from gradyard.client.live.watching import BatchEvent, JobEvent
from gradyard.jobs.settings import Settings
from gradyard.shapes import BatchNow, CurvePart, Move, Progress
from gradyard.store import lifecycle
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.client.real_service import real_service
from tests.client.service_for_tests import JOB_ID, FakeService, Said, answering, job, problem, stream
from tests.service.live.test_events_of_a_job import recorded
from tests.store.test_batches import stored

STREAM = {"Content-Type": "text/event-stream"}
CUT = {**STREAM, "Content-Length": "100000"}  # more than comes: the connection breaks


def told(name: str, data: Any, last_id: str = "") -> bytes:
    return f"event: {name}\n{f'id: {last_id}' + chr(10) if last_id else ''}data: {json.dumps(data)}\n\n".encode()


def part(begin: int, *losses: float) -> dict[str, Any]:
    return {"job": JOB_ID, "from_step": begin, "to_step": begin + len(losses), "losses": losses, "metrics": {}}


def test_a_stream_that_breaks_is_taken_up_after_its_last_message() -> None:
    first = b": hello\n\n" + told("curve", part(0, 4.0, 3.0), "2.2") + told("curve", part(2, 2.0))[:20]
    rest = told("curve", part(2, 2.0), "2.3") + told("news of later versions", {"a": 1}) + told(
        "ended", job(state="failed", reason="error"), "3.3e"
    )  # fmt: skip
    with answering(Said(200, first, CUT), Said(503, b""), Said(200, rest, STREAM)) as service:
        with Client(service.url) as client:
            *parts, last = client.watch(JOB_ID)
    assert [each.losses for each in parts if isinstance(each, CurvePart)] == [(4.0, 3.0), (2.0,)]
    assert isinstance(last, Job)
    assert last.state == "failed"
    assert [each.headers.get("Last-Event-ID") for each in service.asked] == [None, "2.2", "2.2"]
    assert {each.headers["Accept"] for each in service.asked} == {"text/event-stream"}


def test_letters_that_end_lines_elsewhere_stay_in_the_data() -> None:
    name = "a\u2028b\x85c"
    body = f"event: ended\ndata: {json.dumps(job(state='failed', name=name), ensure_ascii=False)}\n\n".encode()
    with answering(Said(200, body, STREAM)) as service, Client(service.url) as client:
        (last,) = client.watch(JOB_ID)
    assert isinstance(last, Job)
    assert last.name == name


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(200, told("problem", {"status": 410, "title": "Gone", "job": JOB_ID}), STREAM), JobNotFound),
        (Said(200, told("problem", {"status": 401, "title": "Unauthorized"}), STREAM), RefusedByService),
        (problem(404, "There is no such job"), JobNotFound),
        (Said(200, {"events": []}, {"Content-Type": "application/json"}), Unreachable),
        (Said(200, b"<html>", {"Content-Type": "text/html"}), AnswerNotUnderstood),
        (Said(200, told("curve", 7), STREAM), AnswerNotUnderstood),
        (Said(200, b"event: curve\ndata: {\n\n", STREAM), AnswerNotUnderstood),
        (Said(200, b"", STREAM), Unreachable), (Said(200, b"", CUT), Unreachable),
        (Said(200, b"retry: 1000\n\n", STREAM), Unreachable),
    ],
    ids=["deleted", "key revoked", "no job", "older service", "a page", "no curve", "no JSON", "ends at once",
         "breaks at once", "opens and ends"],
)  # fmt: skip
def test_a_stream_that_cannot_go_on_raises(said: Said, error: type[Exception]) -> None:
    with answering(said) as service, Client(service.url, retry_seconds=0.5) as client, pytest.raises(error):
        list(client.watch(JOB_ID))


def test_a_stream_goes_on_with_a_new_version_where_an_older_one_answered_first() -> None:
    older = Said(200, {"events": []}, {"Content-Type": "application/json"})
    with answering(older, older, stream(ended=job(state="failed"))) as service, Client(service.url) as client:
        (last,) = client.watch(JOB_ID)
    assert isinstance(last, Job)


def test_the_time_that_a_service_takes_to_answer_is_no_stream() -> None:
    def respond(_: Any) -> Said:
        Event().wait(1.2)
        return Said(200, b"", STREAM)

    with FakeService(respond).running() as service, Client(service.url, retry_seconds=1.0) as client:
        with pytest.raises(Unreachable):
            list(client.watch(JOB_ID))
        assert len(service.asked) == 1


def test_a_job_is_followed_to_its_end(database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    with real_service(settings) as url, Client(url) as client:
        found = client.jobs.watch(str(job_id))
        assert isinstance(next(found), Move)
        assert isinstance(next(found), Progress)
        claim = claimed(database, worker_of(database))
        recorded(database, claim.members[0], [4.0, 3.0])
        curve = next(each for each in found if isinstance(each, CurvePart))
        assert curve.losses == (4.0, 3.0)
        recorded(database, claim.members[0], [2.0, 1.0], 2)
        assert next(each for each in found if isinstance(each, CurvePart)).from_step == 2
        found.close()
        succeeds_after(database, claim)
        whole = list(client.watch(client.job(str(job_id))))
    assert_type(whole, list[JobEvent])
    assert isinstance(whole[-1], Job)
    assert whole[-1].succeeded
    losses = [loss for each in whole if isinstance(each, CurvePart) for loss in each.losses]
    assert np.array_equal(np.array(losses, np.float32), [4, 3, 2, 1])


def succeeds_after(database: Database, claim: Any) -> None:
    with database.begin() as connection:
        outcome = lifecycle.Outcome({"a": 0.5}, "y = 0.5", {"engine": "eager"})
        assert lifecycle.succeed(connection, claim.members[0].held, outcome, actor="worker")


def test_an_iterator_that_is_closed_closes_its_connection(database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    with real_service(settings) as url, Client(url) as client:
        found = client.watch(str(job_id))
        next(found)
        pool: Any = client._transport._wire.http._transport._pool  # type: ignore[union-attr]
        assert len(pool.connections) == 1
        found.close()
        assert len(pool.connections) == 0


def test_a_batch_is_followed_to_its_end(database: Database, settings: Settings) -> None:
    batch = stored(database, {"jobs": [{"stage": "tensor", "steps": 4}]}).batch_id
    with real_service(settings) as url, Client(url) as client:
        found = client.batches.watch(str(batch))
        move, first = next(found), next(found)
        assert isinstance(move, Move)
        assert isinstance(first, BatchNow)
        assert (first.state, first.counts["queued"], first.best) == ("queued", 1, None)
        succeeds(database, claimed(database, worker_of(database)))
        rest = list(found)
        moves = [move, *(each for each in rest if isinstance(each, Move))]
        assert [(each.job, each.kind) for each in moves] == [
            (move.job, kind) for kind in ("submitted", "claimed", "succeeded")
        ]
        last = [each for each in rest if isinstance(each, BatchNow)][-1]
        assert last.best is not None
        assert (last.best.job, last.best.value) == (move.job, 1.0)
        assert_type(rest, list[BatchEvent])
        assert isinstance(rest[-1], Batch)
        assert rest[-1] == client.batch(str(batch))
        assert [type(each) for each in client.watch_batch(str(batch), moves=False)] == [BatchNow, Batch]


def test_a_task_follows_a_job_and_may_be_cancelled(database: Database, settings: Settings) -> None:
    job_id = str(submitted(database, settings))

    async def follow(url: str) -> JobEvent:
        async with AsyncClient(url) as client:
            seen = asyncio.Event()

            async def until_cancelled() -> None:
                async for _ in client.watch(job_id):
                    seen.set()

            task = asyncio.create_task(until_cancelled())
            await seen.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            succeeds(database, claimed(database, worker_of(database)))
            *_, last = [each async for each in client.jobs.watch(job_id, points="all")]
            return last

    with real_service(settings) as url:
        last = asyncio.run(follow(url))
    assert isinstance(last, Job)
    assert last.succeeded
