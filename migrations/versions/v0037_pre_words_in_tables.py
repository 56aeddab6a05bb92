"""On SQLite the words of a column are a CHECK of its table, where earlier versions made two triggers."""

import re

from alembic import op

from migrations.online import check_words

revision = "0037_pre"
down_revision = "0036_pre"
branch_labels = None
depends_on = None

MADE_BEFORE = re.compile(r"NEW\.(?P<column>\w+) NOT IN \((?P<words>[^)]*)\)")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    triggers = "SELECT tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%_is_known_on_insert'"
    for table, sql in connection.exec_driver_sql(triggers).all():
        found = MADE_BEFORE.search(sql)
        assert found is not None, sql
        check_words(table, found["column"], re.findall(r"'(\w+)'", found["words"]))


def downgrade() -> None:
    """The CHECK stays: it allows the same words as the triggers did."""
