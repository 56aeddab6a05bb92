"""Columns with a closed vocabulary take no other word, on both databases."""

import re

import pytest
from sqlalchemy import CheckConstraint, exc

import migrations
from gradyard.jobs.audit import Action
from gradyard.jobs.evidence.rechecks import RecheckState, Verdict
from gradyard.jobs.files.facts import FileFacts, FileFormat
from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.settings import Settings
from gradyard.jobs.webhooks.events import OF_WORKERS
from gradyard.store import audit, fleet
from gradyard.store.bulk import insert_rows
from gradyard.store.database import Database
from gradyard.store.files.rows import NewFile, store_file
from gradyard.store.rechecks import keep_verdict
from gradyard.store.tables import MetricSummary, Table
from gradyard.store.webhooks.messages import store_test
from tests.actors import claimed, submitted, worker_of
from tests.store.webhooks.webhooks_for_tests import webhook_of

CHECKS = sorted(  # a table's constraints have no order
    (table.name, str(check.name).removeprefix(f"ck_{table.name}_").removesuffix("_is_known"), str(check.sqltext))
    for table in Table.metadata.sorted_tables
    for check in table.constraints
    if isinstance(check, CheckConstraint) and str(check.name).endswith("_is_known")
)


def test_every_closed_vocabulary_has_a_check() -> None:
    assert {(table, column) for table, column, _ in CHECKS} == {
        ("jobs", "reason"), ("jobs", "dtype"), ("jobs", "engine"), ("jobs", "queue"), ("jobs", "state"),
        ("job_events", "kind"), ("job_events", "from_state"), ("job_events", "to_state"), ("workers", "queue"),
        ("claims", "queue"), ("holds", "kind"), ("summaries", "state"), ("summaries", "reason"), ("summaries", "queue"),
        ("audit", "action"), ("rechecks", "state"), ("webhook_notices", "kind"), ("webhook_deliveries", "state"),
        ("waits", "state"), ("waits_for", "kind"), ("waits_for", "condition"), ("files", "format"),
        ("metric_summaries", "state"),
    }  # fmt: skip


@pytest.mark.parametrize(("table", "column", "condition"), CHECKS)
def test_the_steps_check_the_words_of_the_enums(database: Database, table: str, column: str, condition: str) -> None:
    """The words of a CHECK are no part of Alembic's comparison."""
    name = f"ck_{table}_{column}_is_known"
    catalogue = f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{name}' AND convalidated"
    if database.is_sqlite:
        catalogue = f"SELECT sql FROM sqlite_master WHERE sql LIKE '%{name}%'"
    with database.read() as connection:
        texts = list(connection.exec_driver_sql(catalogue).scalars())
    assert texts
    for text in texts:
        # `column IN (...)`, or PostgreSQL's `(column)::text = ANY (...)`; the name is in the SQL of a table of SQLite
        listed = re.search(rf"\b{column}(?: IN|\)::text = ANY) ([^)]*)\)", text.split(name)[-1])
        assert listed is not None
        assert sorted(_words(listed[1])) == sorted(_words(condition))


def _words(text: str) -> list[str]:
    return re.findall(r"'(\w+)'", text)


@pytest.mark.parametrize(("table", "column"), [(table, column) for table, column, _ in CHECKS])
def test_a_word_that_is_not_known_is_refused(database: Database, settings: Settings, table: str, column: str) -> None:
    job_id = submitted(database, settings)
    claimed(database, worker_of(database))
    webhook = webhook_of(database, OF_WORKERS)
    submitted(database, settings, depends_on=[str(job_id)])
    with database.begin() as connection:
        store_test(connection, webhook)
        fleet.hold(connection, HoldKind.QUEUE, "cpu", actor="test")
        fleet.hold(connection, HoldKind.HOST, "host", actor="test")
        audit.note(connection, Action.PAUSED, "cpu", project_id=1, actor="test")
        store_file(connection, 1, NewFile("7" * 64, 1, FileFacts(FileFormat.BYTES, 0, (), ()), None), actor="test")
        keep_verdict(connection, 1, job_id, Verdict(RecheckState.SAME, "the same"))
        insert_rows(connection, MetricSummary, [{"job_id": job_id, "project_id": 1, "name": "gap", "last_step": 0}])
    with pytest.raises(exc.IntegrityError, match=column), database.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {column} = 'a word'")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_words_that_earlier_versions_checked_by_triggers_are_checked_by_the_table(
    database: Database, settings: Settings
) -> None:
    database.close()
    migrations.downgrade(database.url, "0036_pre")
    submitted(database, settings)
    with database.begin() as connection:
        table = "SELECT sql FROM sqlite_master WHERE name = 'jobs'"
        before = connection.exec_driver_sql(table).scalar_one()
        check = ", CONSTRAINT ck_jobs_dtype_is_known CHECK (dtype IN ('float32', 'float64'))"
        assert check in before
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        edited = "UPDATE sqlite_master SET sql = ? WHERE name = 'jobs'"
        connection.exec_driver_sql(edited, (before.replace(check, ""),))
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
        for moment, event in (("insert", "INSERT"), ("update", "UPDATE OF dtype")):
            connection.exec_driver_sql(
                f"CREATE TRIGGER jobs_dtype_is_known_on_{moment} BEFORE {event} ON jobs "
                "WHEN NEW.dtype NOT IN ('float32', 'float64') BEGIN SELECT RAISE(ABORT, 'dtype is not known'); END"
            )
    database.close()
    migrations.upgrade(database.url)
    with database.read() as connection:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%is_known%'"
        assert connection.exec_driver_sql(triggers).all() == []
        assert check in connection.exec_driver_sql(table).scalar_one()
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    with pytest.raises(exc.IntegrityError, match="ck_jobs_dtype_is_known"), database.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET dtype = 'float16'")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_insert_fires_a_trigger(database: Database) -> None:
    """For a statement with a trigger SQLite keeps a copy of every page that it changes: twice the time of a job."""
    with database.read() as connection:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '% INSERT ON %'"
        assert connection.exec_driver_sql(triggers).all() == []
