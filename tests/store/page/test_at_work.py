"""What is under way."""

from io import BytesIO

from gradyard.jobs.settings import Settings
from gradyard.jobs.submission.batches import parse_batch
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.queries.page.at_work import batches_under_way, names_of, running_jobs
from tests.actors import claimed, submitted, succeeds, worker_of


def test_running_jobs_of_the_project_are_counted(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    submitted(database, settings)
    with database.read() as connection:
        assert running_jobs(connection, 1) == 0
    claimed(database, worker_of(database))
    with database.read() as connection:
        assert running_jobs(connection, 1) == 2
        assert running_jobs(connection, 2) == 0


def test_jobs_are_named_to_their_own_project_alone(database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, name="mine")
    with database.read() as connection:
        (named,) = names_of(connection, 1, [job_id]).values()
        assert (named.id, named.stage, named.name) == (job_id, "tensor", "mine")
        assert names_of(connection, 2, [job_id]) == names_of(connection, 1, []) == {}


def test_a_batch_is_under_way_until_its_last_job_has_ended(database: Database, settings: Settings) -> None:
    with database.begin() as connection:
        parsed = parse_batch(BytesIO(b'{"jobs": [{"stage": "nn", "steps": 4}]}'), settings)
        batch = lifecycle.submit_batch(connection, parsed, project_id=1, actor="test", max_queued=10).batch_id
    with database.read() as connection:
        assert [row.id for row in batches_under_way(connection, 1, 5)] == [batch]
        assert batches_under_way(connection, 2, 5) == []
    succeeds(database, claimed(database, worker_of(database)))
    with database.read() as connection:
        assert batches_under_way(connection, 1, 5) == []
