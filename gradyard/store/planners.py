"""What the planners of SQLite and PostgreSQL are told, so that a statement is planned well, and once."""

from sqlalchemy import ColumnElement, Connection, String, bindparam, cast


def planned_once(name: str) -> ColumnElement[str]:
    """A parameter to compare with `jobs.queue`, a column that the condition of a partial index names.

    SQLite compares a bare parameter there with that condition, so it plans the statement anew for each value that is
    bound: 0.03 to 0.1 ms at each execution (`reprep` in its table `sqlite_stmt`).
    """
    return cast(bindparam(name), String)


def prefer_order_of_index(connection: Connection) -> None:
    """Until the transaction ends, let PostgreSQL read in the order of an index rather than sort.

    A table that grew by thousands of rows a moment ago has no statistics of them. PostgreSQL then expects one row, and
    to find the first job would sort all that wait: 50 ms of 10,000. SQLite takes the index anyway.
    """
    _until_its_end(connection, "enable_sort = off")


def prefer_indexes(connection: Connection) -> None:
    """Until the transaction ends, let PostgreSQL read no table from end to end where an index will do.

    Asked whether one row satisfies a condition, it reads the table where it expects many that do: they may all come
    behind a million that do not, or be gone since its last statistics. SQLite takes the index anyway.
    """
    _until_its_end(connection, "enable_seqscan = off")


def _until_its_end(connection: Connection, setting: str) -> None:
    if connection.dialect.name == "postgresql":
        assert connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT", "Database.read is none"
        connection.exec_driver_sql(f"SET LOCAL {setting}")
