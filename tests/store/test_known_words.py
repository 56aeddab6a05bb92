"""Columns with a closed vocabulary take no other word, on both databases."""

import re

import pytest
from sqlalchemy import CheckConstraint, Connection, exc

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
from migrations.online import without_lists
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
        assert database.is_sqlite is False or text.count(name) == 1
        # PostgreSQL's `(column)::text = ANY (...)`; the name is in the SQL of a table of SQLite
        listed = re.search(rf"CHECK \(({column} = [^)]*)\)|\b{column}\)::text = ANY ([^)]*)\)", text.split(name)[-1])
        assert listed is not None
        assert sorted(_words(listed[0])) == sorted(_words(condition))


def _words(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


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


MADE_BEFORE = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%is_known_on_insert'"


def lists_as_earlier_versions_made(sql: str) -> str:
    """The text of a table with `column IN (...)` where it has each word for itself."""
    spelled_out = r"\b(\w+) = '[^']*'(?: OR \1 = '[^']*')+"
    return re.sub(spelled_out, lambda found: f"{found[1]} IN ({str(_words(found[0]))[1:-1]})", sql)


def triggers_as_earlier_versions_made(connection: Connection) -> None:
    """Make of each CHECK that a step added to the text of a table the two triggers that the step made before."""
    texts = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
    for table, new in connection.exec_driver_sql(texts).all():
        sql = lists_as_earlier_versions_made(new)
        checks = rf", CONSTRAINT ck_{table}_(\w+)_is_known CHECK \(\1 IN \(([^)]*)\)\)"
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        without = (re.sub(checks, "", sql), table)
        connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE name = ?", without)
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
        for column, words in re.findall(checks, sql):
            for moment, event in (("insert", "INSERT"), ("update", f"UPDATE OF {column}")):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER {table}_{column}_is_known_on_{moment} BEFORE {event} ON {table} "
                    f"WHEN NEW.{column} NOT IN ({words}) BEGIN SELECT RAISE(ABORT, '{column} is not known'); END"
                )


def checks_in(database: Database) -> dict[str, list[list[str]]]:
    """The words of each CHECK in the texts of SQLite's tables, by its name."""
    found: dict[str, list[list[str]]] = {}
    with database.read() as connection:
        for text in connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'table'").scalars():
            for name, words in re.findall(r"CONSTRAINT (ck_\w+_is_known) CHECK \((\w+ = [^)]*)\)", text):
                found.setdefault(name, []).append(_words(words))
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", ["0012_pre", "0016_pre", "0029_pre", "0033_pre", "0036_pre"])
def test_a_database_that_checks_words_by_triggers_becomes_like_a_new_one(database: Database, step: str) -> None:
    new = checks_in(database)
    database.close()
    migrations.downgrade(database.url, step)
    with database.begin() as connection:
        triggers_as_earlier_versions_made(connection)
        assert len(connection.exec_driver_sql(MADE_BEFORE).all()) > 2
    database.close()
    migrations.upgrade(database.url)
    assert checks_in(database) == new
    with database.read() as connection:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%is_known%'"
        assert connection.exec_driver_sql(triggers).all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_checks_words_by_triggers_can_go_back(database: Database) -> None:
    database.close()
    migrations.downgrade(database.url, "0036_pre")
    with database.begin() as connection:
        triggers_as_earlier_versions_made(connection)
    database.close()
    migrations.downgrade(database.url, "0012_pre")
    with database.begin() as connection:
        row = "(job_id, project_id, sequence, to_state, kind, attempt, actor, at)"
        with pytest.raises(exc.IntegrityError, match="ck_job_events_kind_is_known"):
            connection.exec_driver_sql(
                f"INSERT INTO job_events {row} VALUES ('0', 1, 1, 'queued', 'records_lost', 0, 'test', 0.0)"
            )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_insert_fires_a_trigger(database: Database) -> None:
    """For a statement with a trigger SQLite keeps a copy of every page that it changes: twice the time of a job."""
    with database.read() as connection:
        texts = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'trigger'").scalars().all()
    assert texts
    assert [text for text in texts if re.search(r"(BEFORE|AFTER)\s+INSERT\s+ON\s", text)] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_row_that_is_written_is_looked_up_in_a_list_of_words(database: Database) -> None:
    """For an IN of three words and more SQLite makes a table, anew for each row: a third of the time of a job."""
    with database.read() as connection:
        texts = "SELECT sql FROM sqlite_master WHERE type = 'table' OR (type = 'trigger' AND sql LIKE '%UPDATE OF%')"
        lists = [re.findall(r"\w+ (?:NOT )?IN \([^)]*\)", sql) for sql in connection.exec_driver_sql(texts).scalars()]
    assert lists
    assert [each for each in lists if each] == []


def test_only_a_list_that_stands_alone_is_spelled_out() -> None:
    assert without_lists("CHECK (a IN ('x', 'y z'))") == "CHECK (a = 'x' OR a = 'y z')"
    assert without_lists("CHECK ((a IN ('x', 'y')) = (b IS NULL))") == "CHECK ((a = 'x' OR a = 'y') = (b IS NULL))"
    for text in ("CHECK (a IN ('x', 'y') AND b > 0)", "CHECK (a NOT IN ('x', 'y'))", "CHECK ((a = 'x') = (b IS NULL))"):
        assert without_lists(text) == text
