"""A result may have coefficients of scaled data beside those in the data's own units."""

import sqlalchemy as sa
from alembic import op

revision = "0016_pre"
down_revision = "0015_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("results", sa.Column("scaled_coefficients", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("results", "scaled_coefficients")
