"""All rows of a database as they are at one moment, to begin with them any number of times."""

import sqlite3
from contextlib import closing

from sqlalchemy import text

from gradyard.store.database import Database

_TABLES = text("""SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace""")
_KEEP = """
DROP SCHEMA IF EXISTS kept CASCADE;
CREATE SCHEMA kept;
{copies}
CREATE FUNCTION kept.put_back() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {put_back} END $$;
"""


class KeptRows:
    """What a database holds when this is made. Making it anew takes twenty times as long as to put it back.

    PostgreSQL keeps one such moment in a database: of two, the later one is put back.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        if database.is_sqlite:
            self._kept = sqlite3.connect(":memory:", check_same_thread=False)
            self._copy(to_kept=True)
            return
        with database.engine.begin() as connection:
            tables = connection.execute(_TABLES).scalars().all()
            copies = [f"CREATE TABLE kept.{each} AS TABLE public.{each};" for each in tables]
            put_back = [f"DELETE FROM public.{each};" for each in tables]
            put_back += [f"INSERT INTO public.{each} TABLE kept.{each};" for each in tables]
            connection.exec_driver_sql(_KEEP.format(copies="\n".join(copies), put_back="\n".join(put_back)))

    def put_back(self) -> None:
        """Let the database hold that and nothing else. No transaction may be under way."""
        if self._database.is_sqlite:
            self._copy(to_kept=False)
            return
        with self._database.engine.begin() as connection:
            # No trigger and no foreign key looks at what is changed.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql("SELECT kept.put_back()")

    def _copy(self, *, to_kept: bool) -> None:
        with closing(sqlite3.connect(self._database.engine.url.database or "")) as opened:
            (opened.backup(self._kept) if to_kept else self._kept.backup(opened))
