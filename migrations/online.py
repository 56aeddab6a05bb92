"""Changes of large tables for use in steps, while others write.

On PostgreSQL none of them holds a lock that writers wait for while it reads the table: each statement commits alone,
so each function can be called again after an interruption. Call them for tables of jobs and what jobs leave; small
tables (workers, holds, counters, bells) need no such care.

SQLite has one writer: others wait until a step commits. A CHECK is added to the text of a table. Earlier versions made
triggers of it, and for a statement that fires a trigger SQLite keeps a copy of every page that it changes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import Column, Connection, inspect, text


def create_index(name: str, table: str, columns: Sequence[Any], **options: Any) -> None:
    """Build an index of a large table, on PostgreSQL CONCURRENTLY. An invalid one of that name is built anew.

    On SQLite the step commits after it: a million rows take a second, for which other writers wait. options: those of
    `op.create_index`.
    """
    if op.get_bind().dialect.name != "postgresql":
        op.create_index(name, table, columns, if_not_exists=True, **options)
        _let_others_write()
        return
    with op.get_context().autocommit_block():
        # Both wait for older transactions, and writers do not wait for them: no lock timeout.
        op.execute(text("SET lock_timeout = 0"))
        op.execute(text(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"'))
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)
        op.execute(text("RESET lock_timeout"))


def drop_index(name: str, table: str) -> None:
    """Drop an index of a large table, where it is there, on PostgreSQL CONCURRENTLY."""
    if op.get_bind().dialect.name != "postgresql":
        op.drop_index(name, table, if_exists=True)
        return
    with op.get_context().autocommit_block():
        op.execute(text("SET lock_timeout = 0"))
        op.execute(text(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"'))
        op.execute(text("RESET lock_timeout"))


def add_column(table: str, column: Column[Any]) -> None:
    """Add a column that is NULL or has a constant default, which changes no row. One that is there is left alone."""
    if column.name not in {each["name"] for each in inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def drop_foreign_key(name: str, table: str, columns: str, referenced: str) -> None:
    """Drop a foreign key, where it is there. On PostgreSQL alone in a transaction, as both tables are locked.

    columns, referenced: as in the table's text on SQLite, `project_id` and `projects (id)`.
    """
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"))
        return
    key = re.escape(f"CONSTRAINT {name} FOREIGN KEY({columns}) REFERENCES {referenced}")
    edit_table(table, lambda text: re.sub(rf",\s*{key}", "", text))


def add_foreign_key(name: str, table: str, columns: str, referenced: str) -> None:
    """Undo `drop_foreign_key`. On PostgreSQL new rows are checked at once, the old ones while others write."""
    key = f"CONSTRAINT {name} FOREIGN KEY({columns}) REFERENCES {referenced}"
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"))
            op.execute(text(f"ALTER TABLE {table} ADD {key} NOT VALID"))
            op.execute(text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
        return
    edit_table(table, lambda text: f"{text.rstrip().removesuffix(')')}, {key})")


def _let_others_write() -> None:
    """Commit what the step did until now, and go on in a new transaction of SQLite."""
    connection = op.get_bind()
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def check_words(table: str, column: str, words: Sequence[str]) -> None:
    """Let the column hold one of these words, or NULL. Rows that are there already are checked on PostgreSQL alone."""
    if op.get_bind().dialect.name == "postgresql":
        known = ", ".join(f"'{word}'" for word in words)
        _add_constraint(table, f"ck_{table}_{column}_is_known", f"{column} IN ({known})")
        return
    drop_check_of_words(table, column)
    check = f", CONSTRAINT ck_{table}_{column}_is_known CHECK ({is_one_of(column, words)}))"
    edit_table(table, lambda text: text.rstrip().removesuffix(")") + check)


def widen_check(table: str, column: str, words: Sequence[str]) -> None:
    """Let the column hold these words, of which its CHECK, made with its table, knows some."""
    if op.get_bind().dialect.name == "postgresql":
        check_words(table, column, words)
        return
    several = rf"\b{column} IN \([^)]*\)|\b{column} = '[^']*'(?: OR {column} = '[^']*')+"
    edit_table(table, lambda text: re.sub(several, is_one_of(column, words), text))


def is_one_of(column: str, words: Sequence[str]) -> str:
    """A condition of SQLite, without brackets. For an IN with three words it would make a table, anew for each row."""
    return " OR ".join(f"{column} = '{word}'" for word in words)


def without_lists(text: str) -> str:
    """The text of a table of SQLite, with each `(column IN (words))` as `is_one_of`."""
    lists = r"\((\w+) IN \(('[^']*'(?:, '[^']*')*)\)\)"

    def spelled_out(found: re.Match[str]) -> str:
        words = re.findall(r"'([^']*)'", found[2])
        return f"({is_one_of(found[1], words)})"

    return re.sub(lists, spelled_out, text)


def edit_table(table: str, edit: Callable[[str], str]) -> None:
    """Change the text of a table of SQLite, where no row changes by that.

    As its manual says ("Making Other Kinds Of Table Schema Changes"): NOT NULL, a CHECK or a foreign key may come, go
    or change.
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    this = "type = 'table' AND name = ?"
    text = connection.exec_driver_sql(f"SELECT sql FROM sqlite_schema WHERE {this}", (table,)).scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(f"UPDATE sqlite_schema SET sql = ? WHERE {this}", (edit(text), table))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _add_constraint(table: str, name: str, condition: str) -> None:
    """Add a CHECK on PostgreSQL: for new rows at once, then for the old rows, while others write.

    Two transactions: adding it locks the table for a moment; the reading of old rows must not hold that lock.
    """
    with op.get_context().autocommit_block():
        op.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"))
        op.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"))
        op.execute(text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))


def drop_check_of_words(table: str, column: str) -> None:
    """Undo `check_words`, and on SQLite the triggers that earlier versions made of it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{column}_is_known"))
        return
    for moment in ("insert", "update"):
        op.execute(text(f"DROP TRIGGER IF EXISTS {table}_{column}_is_known_on_{moment}"))
    check = rf",\s*CONSTRAINT ck_{table}_{column}_is_known CHECK \((?:{column} IN \([^)]*\)|[^()]*)\)"
    edit_table(table, lambda text: re.sub(check, "", text))


@contextmanager
def without_history_view(anew: str | None = None) -> Iterator[None]:
    """Take the view `job_history` away for the block, then make it as it was, with the same grants on PostgreSQL.

    For a step that drops a column which the view reads, or changes its type, and on SQLite for one that copies such a
    table: the databases refuse these beside the view. anew: another CREATE VIEW, where its columns change. The text of
    the view is in the database alone, so nothing in the block may commit: no index of a large table, no CHECK of words.
    """
    connection = op.get_bind()
    made = _statements_of_history_view(connection)
    op.execute("DROP VIEW IF EXISTS job_history")
    yield
    for statement in made if anew is None else [anew, *made[1:]]:
        doubled = statement.replace("%", "%%") if connection.dialect.name == "postgresql" else statement
        connection.exec_driver_sql(doubled)


def _statements_of_history_view(connection: Connection) -> list[str]:
    """The statements that make the view as it is, and let others read it; none where it is not there."""
    if connection.dialect.name != "postgresql":
        return list(connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE name = 'job_history'").scalars())
    this = "pg_class c WHERE c.oid = to_regclass('job_history')"
    view = f"SELECT 'CREATE VIEW job_history AS ' || pg_get_viewdef(c.oid) FROM {this}"
    grants = (
        "SELECT 'GRANT ' || a.privilege_type || ' ON job_history TO ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' "
        "ELSE quote_ident(pg_get_userbyid(a.grantee)) END || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' "
        f"ELSE '' END FROM aclexplode((SELECT c.relacl FROM {this})) a"
    )
    return [each for query in (view, grants) for each in connection.exec_driver_sql(query).scalars()]
