"""Rows that no statement sorts come in another order in tests than on most days."""

from pathlib import Path

from sqlalchemy import text

from gradyard.store.database import Database


def test_rows_come_in_the_order_of_their_writing_only_where_a_statement_says_so(migrated_sqlite: Path) -> None:
    database = Database(f"sqlite:///{migrated_sqlite}")
    with database.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE numbers (n INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO numbers VALUES (1), (2), (3)"))
        assert connection.execute(text("SELECT n FROM numbers")).scalars().all() == [3, 2, 1]
        assert connection.execute(text("SELECT n FROM numbers ORDER BY n")).scalars().all() == [1, 2, 3]
    database.close()
