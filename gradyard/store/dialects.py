"""What SQLite and PostgreSQL do differently in a statement: the clock, sizes, inserts that meet a row, locks, text."""

from datetime import UTC, datetime
from functools import cache
from typing import Any, overload

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import JSON, BigInteger, Double, LargeBinary, Text

# clock_timestamp(), never now(): that is when the transaction began, before it waited for a lock.
POSTGRESQL_CLOCK = "extract(epoch FROM clock_timestamp())::double precision"


class now(FunctionElement[float]):  # noqa: N801 - reads like a SQL function
    """The database's clock, in seconds since 1970 UTC. Leases follow this clock alone, never that of a host."""

    type = Double()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(element: Any, compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_postgresql(element: Any, compiler: Any, **_: Any) -> str:
    return POSTGRESQL_CLOCK


class in_byte_order(FunctionElement[str]):  # noqa: N801 - reads like a SQL function
    """A text that sorts by its bytes, as SQLite has it. PostgreSQL's order is otherwise that of a language."""

    type = Text()
    inherit_cache = True


@compiles(in_byte_order, "sqlite")
def _bytes_sqlite(element: Any, compiler: Any, **how: Any) -> str:
    return str(compiler.process(element.clauses, **how))


@compiles(in_byte_order, "postgresql")
def _bytes_postgresql(element: Any, compiler: Any, **how: Any) -> str:
    return f'({compiler.process(element.clauses, **how)} COLLATE "C")'


class number_told(FunctionElement[float]):  # noqa: N801 - reads like a SQL function
    """The number of an id in a JSON object of numbers by ids of 32 digits; NULL where it has none. Clauses: both."""

    type = Double()
    inherit_cache = True


@compiles(number_told, "sqlite")
def _told_sqlite(element: Any, compiler: Any, **how: Any) -> str:
    told, one = (compiler.process(clause, **how) for clause in element.clauses)
    return f"""json_extract({told}, '$."' || {one} || '"')"""


@compiles(number_told, "postgresql")
def _told_postgresql(element: Any, compiler: Any, **how: Any) -> str:
    told, one = (compiler.process(clause, **how) for clause in element.clauses)
    return f"(({told})::jsonb ->> replace(({one})::text, '-', ''))::double precision"


def clock_of(connection: Connection) -> float:
    """The database's clock, in seconds since 1970 UTC."""
    return connection.execute(_clock).scalar_one()


_clock = select(now())


class octets(FunctionElement[int]):  # noqa: N801 - reads like a SQL function
    """How many bytes a text, an array of bytes or a JSON value has; of large ones it reads no more than that."""

    type = BigInteger()
    inherit_cache = True


@compiles(octets, "sqlite")
def _octets_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    (value,) = element.clauses
    of_value = compiler.process(value, **options)
    # SQLite looks for the length of a column of bytes alone without reading them; that of a text is in letters.
    return f"length({of_value})" if isinstance(value.type, LargeBinary) else f"length(CAST({of_value} AS BLOB))"


@compiles(octets, "postgresql")
def _octets_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    (value,) = element.clauses
    of_value = compiler.process(value, **options)
    return f"octet_length({of_value}{'::text' if isinstance(value.type, JSON) else ''})"


def strip_unstorable(text: str) -> str:
    """The text without what no database stores: NUL and unpaired surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()


def insert_or_ignore(connection: Connection, table: Any) -> Any:
    """An INSERT that does nothing where the row exists. PostgreSQL waits for a transaction that inserts the same."""
    return _insert_or_ignore(connection.dialect.name, table)


def insert_or_replace(connection: Connection, table: Any) -> Any:
    """An INSERT that replaces the values of a row with the same primary key."""
    return _insert_or_replace(connection.dialect.name, table)


def insert_or_add(connection: Connection, table: Any, column: str) -> Any:
    """An INSERT that adds its value of the column to that of a row with the same primary key."""
    return _insert_or_add(connection.dialect.name, table, column)


@cache
def _insert_or_add(dialect_name: str, table: Any, column: str) -> Any:
    statement = _insert(dialect_name, table)
    columns = table.__table__.columns
    key = [each.name for each in columns if each.primary_key]
    total = columns[column] + statement.excluded[column]
    return statement.on_conflict_do_update(index_elements=key, set_={column: total})


@cache
def _insert_or_ignore(dialect_name: str, table: Any) -> Any:
    return _insert(dialect_name, table).on_conflict_do_nothing()


@cache
def _insert_or_replace(dialect_name: str, table: Any) -> Any:
    statement = _insert(dialect_name, table)
    columns = table.__table__.columns
    key = [column.name for column in columns if column.primary_key]
    others = {column.name: statement.excluded[column.name] for column in columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=key, set_=others)


def _insert(dialect_name: str, table: Any) -> Any:
    return (sqlite if dialect_name == "sqlite" else postgresql).insert(table.__table__)


def advisory_lock(connection: Connection, name: str, *, shared: bool = False) -> None:
    """Hold the lock of that name until the transaction ends; others wait for it. SQLite has one writer anyway.

    shared: any number of transactions may share it, while none has it alone.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_share_lock if shared else _take_lock, {"name": name})


_take_lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_share_lock = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")


def for_claiming(query: Any) -> Any:
    """The query, locking its rows and skipping those that another claim has locked. SQLite has one writer anyway."""
    return query.with_for_update(skip_locked=True)


@overload
def as_datetime(seconds: float) -> datetime: ...
@overload
def as_datetime(seconds: None) -> None: ...
def as_datetime(seconds: float | None) -> datetime | None:
    """Seconds since 1970, as times are stored, as a time in UTC; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
