"""The migrations make what `gradyard.store.tables` says, and can be taken back."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, event, exc, inspect

import migrations
from gradyard.jobs.audit import Action
from gradyard.jobs.errors import DatabaseNotReady
from gradyard.jobs.evidence.rechecks import RecheckState, Verdict
from gradyard.jobs.files.facts import FileFacts, FileFormat
from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.settings import Settings
from gradyard.jobs.webhooks.events import OF_WORKERS
from gradyard.store import audit, fleet, queries
from gradyard.store.bulk import insert_rows
from gradyard.store.database import Database
from gradyard.store.files.rows import NewFile, store_file
from gradyard.store.rechecks import keep_verdict
from gradyard.store.tables import MetricSummary, Table
from gradyard.store.webhooks.messages import store_test
from migrations import online, running
from migrations.running import LOCK_TIMEOUT_SECONDS, run_steps
from tests.actors import claimed, submitted, worker_of
from tests.store.webhooks.webhooks_for_tests import webhook_of

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_the_tables_are_those_of_the_models(database: Database) -> None:
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
        indexes = _indexes(connection)
    if database.is_sqlite:  # its indexes over expressions cannot be compared, only found
        differences = [each for each in differences if each[1].name not in EXPRESSION_INDEXES]
    assert differences == []
    assert indexes >= {index.name for table in Table.metadata.tables.values() for index in table.indexes}


EXPRESSION_INDEXES = {"ix_jobs_lanes", "ix_jobs_claim_order", "ix_jobs_riders_in_order", "ix_jobs_by_priority"}


def _indexes(connection: Connection) -> set[str]:
    catalogue = "SELECT indexname FROM pg_indexes"
    if connection.dialect.name == "sqlite":
        catalogue = "SELECT name FROM sqlite_master WHERE type = 'index'"
    return set(connection.exec_driver_sql(catalogue).scalars())


def test_down_and_up_again_is_the_same(database: Database, database_url: str) -> None:
    database.close()
    migrations.downgrade(database_url, "base")
    with database.read() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    with pytest.raises(DatabaseNotReady, match="gradyard db upgrade"):
        migrations.check(database)
    migrations.upgrade(database_url)
    migrations.upgrade(database_url)
    migrations.check(database)


def _at(database: Database, revision: str) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def test_the_next_version_may_prepare_the_tables_while_this_one_runs(database: Database, database_url: str) -> None:
    _at(database, "9998_pre")
    migrations.check(database)
    migrations.upgrade(database_url)  # an old version that starts again spoils nothing
    _at(database, "9999_post")
    with pytest.raises(DatabaseNotReady, match="too old"):
        migrations.check(database)


def test_a_step_is_named_for_its_moment() -> None:
    scripts = list(ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions())
    assert scripts
    for script in scripts:
        assert re.fullmatch(r"\d{4}_(pre|post)", script.revision)
        assert Path(script.path).name.startswith(f"v{script.revision}_")


@on_postgresql  # SQLite has no statement timeout
def test_a_step_may_take_longer_than_a_statement_of_the_service(database: Database, database_url: str) -> None:
    with database.read() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "30s"
    shown: list[str] = []
    run_steps(database_url, lambda connection: shown.append(_shown(connection, "statement_timeout")))
    run_steps(database_url, lambda connection: shown.append(_shown(connection, "lock_timeout")))
    assert shown == ["0", f"{LOCK_TIMEOUT_SECONDS * 1000:.0f}ms"]


def _shown(connection: Connection, setting: str) -> str:
    return str(connection.exec_driver_sql(f"SHOW {setting}").scalar_one())


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
    """The words of a CHECK are no part of Alembic's comparison. On SQLite those of later steps are triggers."""
    name = f"ck_{table}_{column}_is_known"
    catalogue = f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{name}' AND convalidated"
    if database.is_sqlite:
        catalogue = f"SELECT sql FROM sqlite_master WHERE sql LIKE '%{name}%' OR name LIKE '{table}_{column}_is_known%'"
    with database.read() as connection:
        texts = list(connection.exec_driver_sql(catalogue).scalars())
    assert texts
    for text in texts:
        # `column IN (...)`, or PostgreSQL's `(column)::text = ANY (...)`; the name is in the SQL of a table of SQLite
        listed = re.search(rf"\b{column}(?:(?: NOT)? IN|\)::text = ANY) ([^)]*)\)", text.split(name)[-1])
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


@on_postgresql  # SQLite has one writer at a time in any case
def test_an_index_of_a_large_table_is_built_concurrently(database: Database, database_url: str) -> None:
    statements: list[str] = []

    def steps(connection: Connection) -> None:
        connection.rollback()
        event.listen(connection, "before_cursor_execute", lambda *call: statements.append(call[2]))
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction(_per_migration=True):
            for _ in range(2):  # again, as after an interruption
                online.create_index("ix_for_a_test", "jobs", ["name"])

    run_steps(database_url, steps)
    assert sum("CREATE INDEX CONCURRENTLY" in each for each in statements) == 2
    with database.read() as connection:
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_for_a_test'::regclass"
        assert connection.exec_driver_sql(valid).scalar_one() is True


@on_postgresql  # SQLite has one transaction for all
def test_a_step_that_was_interrupted_before_its_indexes_goes_on(database: Database, database_url: str) -> None:
    newest = running.newest_revision()
    _at(database, "0013_pre")
    migrations.upgrade(database_url, "0014_pre")
    _at(database, newest)
    migrations.check(database)


def test_two_upgrades_at_once_are_one_after_the_other(database: Database, database_url: str) -> None:
    database.close()
    migrations.downgrade(database_url, "base")
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(migrations.upgrade, database_url) for _ in range(2)]:
            done.result()
    migrations.check(database)


def test_counters_keep_what_they_have_counted_under_their_new_names(database: Database, database_url: str) -> None:
    database.close()
    migrations.downgrade(database_url, "0011_pre")
    with database.begin() as connection:
        fleet.count(connection, "cpu-0@host", {"jobs": 7, "lease_losses": 2, "runner_deaths": 1})
    migrations.upgrade(database_url)
    with database.read() as connection:
        counted = {row.name: row.total for row in queries.counters(connection)}
    assert counted == {"jobs_finished": 7, "leases_lost": 2, "runner_deaths": 1}
