"""A cancelled job keeps no checkpoint, whichever way it was cancelled: no attempt will resume it."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import Connection, select

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.jobs.submission.batches import parse_batch
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import Fence
from gradyard.store.tables import Checkpoint
from tests.actors import claimed, progress_of, worker_of


def by_its_worker(connection: Connection, held: Fence, batch: UUID) -> None:
    lifecycle.cancel_by_worker(connection, held, actor="worker")


def over_the_head_of_a_silent_worker(connection: Connection, held: Fence, batch: UUID) -> None:
    lifecycle.move_silent(connection, held.job_id, actor="client")


def with_its_batch_over_the_head_of_a_silent_worker(connection: Connection, held: Fence, batch: UUID) -> None:
    lifecycle.move_silent_batch(connection, batch, actor="client")


def when_it_is_handed_back(connection: Connection, held: Fence, batch: UUID) -> None:
    lifecycle.hand_back(connection, held, actor="worker", detail="the worker stops")


def while_it_waits(connection: Connection, held: Fence, batch: UUID) -> None:
    lifecycle.request_cancel(connection, held.job_id, actor="client")


def with_its_batch_while_it_waits(connection: Connection, held: Fence, batch: UUID) -> None:
    lifecycle.cancel_some(connection, batch, actor="client")


RUNNING = (by_its_worker, over_the_head_of_a_silent_worker, with_its_batch_over_the_head_of_a_silent_worker,
           when_it_is_handed_back)  # fmt: skip
WAITING = (while_it_waits, with_its_batch_while_it_waits)


@pytest.mark.parametrize("cancelled", [*RUNNING, *WAITING], ids=lambda way: way.__name__)
def test_a_job_that_is_cancelled_keeps_no_checkpoint(
    database: Database, settings: Settings, cancelled: Callable[[Connection, Fence, UUID], Any]
) -> None:
    body = orjson.dumps({"jobs": [{"stage": "tensor", "steps": 4}]})
    with database.begin() as connection:
        batch = lifecycle.submit_batch(
            connection, parse_batch(BytesIO(body), settings), project_id=1, actor="test", max_queued=1000
        ).batch_id
    [member] = claimed(database, worker_of(database)).members
    with database.begin() as connection:
        lifecycle.record(connection, progress_of(member, [4.0, 3.0]))
        if cancelled in RUNNING:
            lifecycle.request_cancel(connection, member.id, actor="client")
        else:
            lifecycle.hand_back(connection, member.held, actor="worker", detail="the worker stops")
    with database.begin() as connection:
        cancelled(connection, member.held, batch)
        assert queries.state_of(connection, 1, member.id) is State.CANCELLED
        assert connection.execute(select(Checkpoint.step)).all() == []
