"""The migrations make what `gradyard.store.tables` says, and can be taken back."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect

import migrations
from gradyard.jobs.errors import DatabaseNotReady
from gradyard.store import fleet, queries
from gradyard.store.database import Database
from gradyard.store.tables import Table
from migrations import online, running
from migrations.running import LOCK_TIMEOUT_SECONDS, run_steps
from migrations.versions.v0039_post_projects_of_jobs import TABLES

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


def test_rows_of_a_job_refer_to_no_project_but_by_their_job(database: Database, database_url: str) -> None:
    database.close()
    migrations.downgrade(database_url, "0038_post")
    assert _of_jobs_and_projects(database) == {*TABLES}
    migrations.upgrade(database_url)
    assert _of_jobs_and_projects(database) == set()


def _of_jobs_and_projects(database: Database) -> set[str]:
    """The tables whose rows belong to a job, and refer to a project as well."""
    with database.read() as connection:
        found = inspect(connection).get_multi_foreign_keys()
    referred = {name: {(each["referred_table"], *each["constrained_columns"]) for each in keys}
                for (_, name), keys in found.items()}  # fmt: skip
    of_jobs = {name for name, table in Table.metadata.tables.items() if "job_id" in table.primary_key.columns}
    return {name for name in of_jobs if {("jobs", "job_id"), ("projects", "project_id")} <= referred[name]}


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
