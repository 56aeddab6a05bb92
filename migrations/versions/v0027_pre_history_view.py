"""The view that other tools read: Grafana, Metabase, DuckDB, notebooks. docs/analysis.md has its columns.

A later step that drops or changes a column of these tables does so in `without_history_view` (migrations/online.py).
The view has its columns by name, so one may be added at its end without that.
"""

from alembic import op

revision = "0027_pre"
down_revision = "0026_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute("DROP VIEW IF EXISTS job_history")
    op.execute(_view(_POSTGRESQL if on_postgresql else _SQLITE))


def downgrade() -> None:
    op.execute("DROP VIEW IF EXISTS job_history")


# An id and a moment as each database can show them, the tags, and the figures of the metrics as one object.
_POSTGRESQL = {
    "id": "{0}", "time": "to_timestamp({0})", "json": "{0}",
    "metrics": "json_object_agg(name, json_build_object('last', last, 'last_step', last_step, 'min', min, "
    "'min_step', min_step, 'max', max, 'max_step', max_step))",
}  # fmt: skip
_SQLITE = {
    "id": "substr({0}, 1, 8) || '-' || substr({0}, 9, 4) || '-' || substr({0}, 13, 4) || '-' || substr({0}, 17, 4) "
    "|| '-' || substr({0}, 21)",
    "time": "strftime('%Y-%m-%d %H:%M:%f', {0}, 'unixepoch')", "json": "{0}",
    "metrics": "json_group_object(name, json_object('last', last, 'last_step', last_step, 'min', min, "
    "'min_step', min_step, 'max', max, 'max_step', max_step))",
}  # fmt: skip


def _view(written: dict[str, str]) -> str:
    def of(form: str, column: str, name: str) -> str:
        return f"{written[form].format(column)} AS {name}"

    columns = [
        of("id", "j.id", "id"), "p.name AS project", of("id", "j.batch_id", "batch"), "j.name AS name",
        "j.stage AS stage", "j.state AS state", "j.reason AS reason", "j.message AS message", "j.queue AS queue",
        "j.engine AS engine", "j.tags AS tags", of("time", "j.submitted_at", "submitted_at"),
        of("time", "j.started_at", "started_at"),
        of("time", "j.finished_at", "finished_at"), "j.attempt AS attempt", "j.steps AS steps",
        "j.steps_done AS steps_done", "s.points AS points", "s.degree AS degree", "s.seed AS seed",
        "s.learning_rate AS learning_rate", "j.dtype AS dtype", "j.loss_first AS loss_first",
        "j.loss_last AS loss_last", "j.loss_min AS loss_min", "j.loss_min_step AS loss_min_step",
        "j.diverged_at AS diverged_at", "j.setup_seconds AS setup_seconds", "j.train_seconds AS train_seconds",
        "j.records AS records", "j.pack_size AS pack_size",
        f"(SELECT {written['metrics']} FROM metric_summaries m WHERE m.job_id = j.id GROUP BY m.job_id) AS metrics",
        "r.coefficients AS coefficients", "r.formula AS formula", "r.environment AS environment", "j.spec AS spec",
        of("id", "j.retry_of", "retry_of"), of("id", "j.replaced_by", "replaced_by"),
    ]  # fmt: skip
    return (
        f"CREATE VIEW job_history AS SELECT {', '.join(columns)} FROM jobs j JOIN projects p ON p.id = j.project_id "
        "LEFT JOIN summaries s ON s.job_id = j.id LEFT JOIN results r ON r.job_id = j.id"
    )
