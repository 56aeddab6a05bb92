"""The view that other tools read: the columns of an export, as each database shows them, and the spec."""

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, exc, inspect

from gradyard.jobs.errors import GradyardError
from gradyard.jobs.exports import COLUMNS
from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from migrations.online import without_history_view
from migrations.running import run_steps
from tests.actors import claimed, progress_of, submitted, submitted_to, succeeds, worker_of

MORE = {"project", "spec"}


def seen(connection: Connection, where: str = "state IS NOT NULL") -> list[dict[str, Any]]:
    rows = connection.exec_driver_sql(f"SELECT * FROM job_history WHERE {where} ORDER BY id").mappings()
    return [dict(row) for row in rows]


def as_value(value: Any) -> Any:
    """What a column of JSON says; SQLite has its text."""
    return orjson.loads(value) if isinstance(value, str) else value


def test_the_view_has_the_columns_of_an_export_as_plain_values(database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, stage="optim", name="n", tags={"course": "w3"}, seed=7, learning_rate=0.5)
    claim = claimed(database, worker_of(database))
    progress = progress_of(claim.members[0], [4.0, 3.0, 1.0, 2.0])
    progress.metrics["accuracy"] = np.array([0.5, 0.9, 0.7, 0.8])
    with database.begin() as connection:
        assert lifecycle.record(connection, progress)
        assert lifecycle.succeed(connection, claim.members[0].held, Outcome({"a": 1.5}, "y = 1.5", {}), actor="w")
        lifecycle.release(connection, claim.id, actor="w")
    with database.read() as connection:
        (row,) = seen(connection)
    assert set(row) == set(COLUMNS) | MORE
    plain = ("project", "name", "stage", "state", "steps", "seed", "learning_rate", "loss_first", "loss_min", "formula")
    assert [row[name] for name in plain] == ["default", "n", "optim", "succeeded", 4, 7, 0.5, 4.0, 1.0, "y = 1.5"]
    assert (str(row["id"]), row["batch"], row["reason"]) == (str(job_id), None, None)
    assert as_value(row["tags"]) == {"course": "w3"}
    assert as_value(row["coefficients"]) == {"a": 1.5}
    assert as_value(row["metrics"])["accuracy"]["max"] == 0.9
    assert as_value(row["spec"])["optimizer"]["name"] == "rmsprop"
    finished = row["finished_at"]
    finished = datetime.fromisoformat(finished).replace(tzinfo=UTC) if isinstance(finished, str) else finished
    assert abs((datetime.now(UTC) - finished).total_seconds()) < 600


def test_the_view_can_be_read_by_the_older_sqlite_of_a_distribution(database: Database) -> None:
    """HAVING without GROUP BY needs SQLite 3.39; Ubuntu 22.04 has 3.37."""
    if database.is_sqlite:
        with database.read() as connection:
            made = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE name = 'job_history'").scalar_one()
        assert "HAVING" not in made or "GROUP BY" in made


def test_the_view_is_asked_in_the_databases_own_language(database: Database, settings: Settings) -> None:
    submitted(database, settings, tags={"course": "w3"})
    submitted_to(1, database, settings, tags={"course": "w4"}, stage="optim", optimizer={"name": "adam"})
    with database.read() as connection:
        assert [row["stage"] for row in seen(connection, "tags ->> 'course' = 'w4'")] == ["optim"]
        assert [row["stage"] for row in seen(connection, "spec -> 'optimizer' ->> 'name' = 'adam'")] == ["optim"]
        assert len(seen(connection, "submitted_at > '2020-01-01'")) == 2
        assert seen(connection, "submitted_at < '2020-01-01'") == []
        assert [row["metrics"] for row in seen(connection)] == [None, None]


def step(database: Database, *statements: str, anew: str | None = None, around: bool = True) -> None:
    """A step of migrations that executes these statements, without the view where `around`."""

    def steps(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            with without_history_view(anew) if around else nullcontext():
                for statement in statements:
                    connection.exec_driver_sql(statement)

    run_steps(database.url, steps)


def test_the_view_is_made_anew_as_it_was_around_a_change_that_it_forbids(
    database: Database, settings: Settings
) -> None:
    submitted(database, settings, name="n", tags={"a": "b"})
    succeeds(database, claimed(database, worker_of(database)))
    with database.read() as connection:
        before = seen(connection)
    change = ["ALTER TABLE results ALTER COLUMN formula TYPE varchar(4000)"]
    if database.is_sqlite:  # it copies a table instead
        change = [
            "CREATE TABLE copied AS SELECT * FROM results", "DROP TABLE results", "ALTER TABLE copied RENAME TO results"
        ]  # fmt: skip
    else:
        step(database, "GRANT SELECT ON job_history TO PUBLIC", around=False)
    with pytest.raises((exc.DBAPIError, GradyardError)):
        step(database, *change, around=False)
    step(database, *change)
    step(database)
    with database.read() as connection:
        assert seen(connection) == before
        if not database.is_sqlite:
            grants = "SELECT relacl::text FROM pg_class WHERE relname = 'job_history'"
            assert "=r/" in connection.exec_driver_sql(grants).scalar_one()


def test_a_view_with_other_columns_may_take_its_place(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    anew = "CREATE VIEW job_history AS SELECT id, state FROM jobs WHERE stage LIKE '%sor'"
    step(database, "ALTER TABLE jobs DROP COLUMN pack_size", anew=anew)
    step(database)
    with database.read() as connection:
        assert [set(row) for row in seen(connection)] == [{"id", "state"}]


def test_a_view_that_is_not_there_is_not_made(database: Database) -> None:
    step(database, "DROP VIEW job_history", around=False)
    step(database)
    with database.read() as connection:
        assert inspect(connection).get_view_names() == []
