"""A pin and a deletion of its batch at the same time: one comes after the other, and a pinned job stays."""

import threading

import pytest
from sqlalchemy import select

from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.submission.requests.changes import read_job_changes
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Job
from tests.store.test_batches import stored


def test_a_job_that_is_pinned_while_its_batch_is_deleted_stays(database: Database) -> None:
    batch = stored(database, {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 3}}}).batch_id
    with database.begin() as connection:
        lifecycle.cancel_some(connection, batch, actor="test")
        job = connection.execute(select(Job.id).limit(1)).scalar_one()
    ended: list[str] = []

    def delete() -> None:
        other = Database(database.url)
        try:
            with other.begin() as connection:
                lifecycle.delete_batch_slice(connection, 1, batch)
                ended.append("deleted")
        except IllegalMove as error:
            ended.append(str(error))
        other.close()

    deletion = threading.Thread(target=delete)
    with database.begin() as connection:
        assert lifecycle.change_job(connection, 1, job, read_job_changes(b'{"pinned": true}')) == ["pinned"]
        deletion.start()
        deletion.join(0.3)
        assert ended == [], "it waits for the pin"
    deletion.join()
    assert ended == ["1 job of it is pinned; unpin it before you delete it"]
    with database.begin() as connection:
        assert len(connection.execute(select(Job.id)).all()) == 3
        with pytest.raises(IllegalMove, match="unpin it"):
            lifecycle.delete_job(connection, 1, job)
