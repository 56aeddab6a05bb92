"""A job may have been trained by the engine `fused`. Going back needs a database without such jobs on PostgreSQL."""

from migrations.online import check_words, drop_check_of_words

revision = "0013_pre"
down_revision = "0012_pre"
branch_labels = None
depends_on = None

BEFORE = ("eager", "gram", "blas", "inductor", "cudagraph")


def upgrade() -> None:
    drop_check_of_words("jobs", "engine")
    check_words("jobs", "engine", (*BEFORE, "fused"))


def downgrade() -> None:
    drop_check_of_words("jobs", "engine")
    check_words("jobs", "engine", BEFORE)
