"""On SQLite the words of a column are a CHECK of its table, spelled out. Earlier versions made triggers, or an IN."""

import re

from alembic import op

from migrations.online import check_words, edit_table, is_one_of, without_lists

revision = "0037_pre"
down_revision = "0036_pre"
branch_labels = None
depends_on = None

MADE_BEFORE = re.compile(r"NEW\.(?P<column>\w+) NOT IN \((?P<words>[^)]*)\)")
FINAL = "succeeded", "failed", "cancelled"


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    triggers = "SELECT tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%_is_known_on_insert'"
    for table, sql in connection.exec_driver_sql(triggers).all():
        found = MADE_BEFORE.search(sql)
        assert found is not None, sql
        check_words(table, found["column"], re.findall(r"'([^']*)'", found["words"]))
    lists = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '% IN (%'"
    for table in connection.exec_driver_sql(lists).scalars().all():
        edit_table(table, without_lists)
    final = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE name = 'terminal_is_final'").scalar_one()
    op.execute("DROP TRIGGER terminal_is_final")
    connection.exec_driver_sql(re.sub(r"OLD\.state IN \([^)]*\)", f"({is_one_of('OLD.state', FINAL)})", final))


def downgrade() -> None:
    """All of it stays: it allows the same as before."""
