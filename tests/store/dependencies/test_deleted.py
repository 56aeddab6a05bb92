"""What becomes of waits when a job, or what it waits for, is deleted."""

import pytest
from sqlalchemy import func, select, text

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Wait
from gradyard.store.upkeep.waits import end_forgotten_waits
from tests.actors import submitted
from tests.store.dependencies.pipelines import after, batch_after, cancels, ends, follow, members_of, states_of
from tests.store.test_batches import stored


@pytest.mark.parametrize("condition", ["ended", "succeeded"])
def test_what_an_older_version_deleted_is_not_waited_for(
    database: Database, settings: Settings, condition: str
) -> None:
    first = submitted(database, settings)
    job = after(database, settings, {"id": str(first), "condition": condition})
    ends(database, first)
    with database.begin() as connection:
        connection.execute(text("DELETE FROM jobs WHERE queue = 'cpu'"))
    assert follow(database) == {}
    end_forgotten_waits(database)
    follow(database)
    assert states_of(database, job) == ["queued" if condition == "ended" else "failed"]


def test_the_wait_of_a_cancelled_job_ends_though_its_batch_was_deleted_before_its_end_was_heard_of(
    database: Database, settings: Settings
) -> None:
    batch = stored(database, {"spec": {"stage": "tensor", "steps": 4}, "grid": {"seed": {"stop": 2}}})
    job = after(database, settings, batch.batch_id)
    ends(database, *members_of(database, batch), state=State.FAILED)
    cancels(database, job)
    with database.begin() as connection:
        while lifecycle.delete_batch_slice(connection, 1, batch.batch_id).more:
            pass
    follow(database)
    end_forgotten_waits(database)
    follow(database)
    with database.read() as connection:
        assert connection.execute(select(Wait.state)).scalars().all() == ["closed"]


def test_a_deleted_job_takes_its_wait_along(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    job, batch = after(database, settings, first), batch_after(database, first)
    ends(database, first, state=State.FAILED)
    follow(database)
    with database.begin() as connection:
        assert lifecycle.delete_job(connection, 1, job)
        while lifecycle.delete_batch_slice(connection, 1, batch.batch_id).more:
            pass
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(Wait)).scalar_one() == 0
