"""What a transaction of several statements sees while others write."""

from uuid import uuid4

from sqlalchemy import select

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.tables import Job
from tests.actors import submitted
from tests.servers import PostgresServer


def sees_one_moment(snapshots: Database, settings: Settings) -> bool:
    """Whether two statements of a snapshot find the same jobs, though another connection adds one between them."""
    jobs = select(Job.id)
    with snapshots.snapshot() as connection:
        first = connection.execute(jobs).all()
        added = submitted(snapshots, settings)
        second = connection.execute(jobs).all()
    with snapshots.read() as connection:  # it may have the connection of the snapshot
        assert added in connection.execute(jobs).scalars()
        another = submitted(snapshots, settings)
        assert another in connection.execute(jobs).scalars()
    return first == second


def test_every_statement_of_a_snapshot_sees_the_same_moment(database: Database, settings: Settings) -> None:
    assert [sees_one_moment(database, settings) for _ in range(2)] == [True, True]


def test_a_snapshot_through_pgbouncer_sees_one_moment_too(postgres: PostgresServer, settings: Settings) -> None:
    name = f"test_{uuid4().hex}"
    url = postgres.clone(name)
    database = Database(f"{url}{'&' if '?' in url else '?'}pgbouncer=true", pool_size=1)
    assert [sees_one_moment(database, settings) for _ in range(2)] == [True, True]
    database.close()
    postgres.drop(name)
