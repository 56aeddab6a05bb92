"""The migrations make what `gradyard.store.tables` says, and can be taken back."""

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

import migrations
from gradyard.jobs.errors import DatabaseNotReady
from gradyard.store.database import Database
from gradyard.store.tables import Table


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_tables_are_those_of_the_models(database: Database) -> None:
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
        indexes = _indexes(connection)
    if database.is_sqlite:  # its indexes over expressions cannot be compared, only found
        differences = [each for each in differences if each[1].name not in EXPRESSION_INDEXES]
    assert differences == []
    assert indexes >= {index.name for table in Table.metadata.tables.values() for index in table.indexes}


EXPRESSION_INDEXES = {"ix_jobs_claimable", "ix_jobs_riders"}


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
    migrations.upgrade(database_url)  # somebody who starts the old version again spoils nothing
    _at(database, "9999_post")
    with pytest.raises(DatabaseNotReady, match="too old"):
        migrations.check(database)


def test_a_step_is_named_for_its_moment() -> None:
    scripts = list(ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions())
    assert scripts
    for script in scripts:
        assert re.fullmatch(r"\d{4}_(pre|post)", script.revision)
        assert Path(script.path).name.startswith(f"v{script.revision}_")
