"""Who uses the database at this moment, and whether it holds anything: asked before it is replaced."""

from pathlib import Path

from sqlalchemy import Connection, inspect, select
from sqlalchemy.engine import make_url

from gradyard.jobs.fleet import SlotAddress
from gradyard.store.database import Database
from gradyard.store.dialects import now
from gradyard.store.tables import ApiKey, Batch, DeletedJob, Job, Worker

HOLDS = (Job, Batch, ApiKey, DeletedJob)


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; None for one of PostgreSQL."""
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def used_by(connection: Connection) -> str | None:
    """Which live worker, or on PostgreSQL which other session of gradyard, uses the database; None where none does."""
    if inspect(connection).has_table(Worker.__tablename__):
        alive = select(Worker.slot, Worker.host, Worker.lease_until - now()).where(Worker.lease_until > now())
        if worker := connection.execute(alive.limit(1)).first():
            return (
                f"the worker {SlotAddress(worker[0], worker[1])} (if it was killed, wait {max(1, round(worker[2]))} s)"
            )
    if connection.dialect.name == "postgresql":
        others = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'gradyard' AND pid <> pg_backend_pid()"
        ).scalar_one()
        return f"{others} sessions of an API or of workers" if others else None
    return None


def holds_anything(connection: Connection) -> bool:
    """Whether the database has jobs, batches, keys, or ids of deleted jobs."""
    there = set(inspect(connection).get_table_names())
    tables = (table for table in HOLDS if table.__tablename__ in there)
    return any(connection.execute(select(1).select_from(table).limit(1)).first() for table in tables)


def opened_alone(database: Database) -> bool:
    """Whether no other process has this SQLite file open. If so, it is a single file afterwards, without a log.

    SQLite leaves the mode of a write-ahead log only for the last process that has the file open.
    """
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=500")
        try:
            return bool(connection.exec_driver_sql("PRAGMA journal_mode=DELETE").scalar_one() == "delete")
        except Exception:
            return False
