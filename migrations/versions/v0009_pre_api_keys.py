"""Keys of the API, each of which opens one project; and whether a worker's GPU is others' as well."""

import sqlalchemy as sa
from alembic import op

revision = "0009_pre"
down_revision = "0008_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("hint", sa.String(32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_api_keys_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_keys_sha256")),
    )
    op.create_index("ix_api_keys_holder", "api_keys", ["project_id", "name"])
    op.add_column("workers", sa.Column("shares_device", sa.Boolean(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":  # project 1 was given its number; the next must not be given it too
        op.execute("SELECT setval(pg_get_serial_sequence('projects', 'id'), (SELECT max(id) FROM projects))")


def downgrade() -> None:
    op.drop_column("workers", "shares_device")
    op.drop_table("api_keys")
