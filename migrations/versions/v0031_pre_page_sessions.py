"""Who is signed in to the page."""

import sqlalchemy as sa
from alembic import op

revision = "0031_pre"
down_revision = "0030_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_sessions",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("admin_check", sa.String(64), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=False),
        sa.CheckConstraint("(key_id IS NULL) <> (admin_check IS NULL)", name=op.f("ck_page_sessions_of_one_key")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_page_sessions_key_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_page_sessions")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_page_sessions_used_at"), "page_sessions", ["used_at"], if_not_exists=True)


def downgrade() -> None:
    op.drop_table("page_sessions")
