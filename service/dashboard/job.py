"""One job: its curve, what came of it, where its time went, and everything that it left."""

from typing import Any

import orjson

from gradyard.jobs.states import FINISHED, State
from gradyard.store import queries
from service.dashboard.charts.losses import loss_picture
from service.dashboard.charts.model import model_over_data
from service.dashboard.charts.time_spent import time_spent
from service.files.of_caller import files_of_caller
from service.http.access.callers import current_caller
from service.http.access.projects import may_change
from service.http.ids import find_job
from service.http.services import current_services
from service.job_shown import job_shown
from service.representation.jobs import event_answer

EVENTS_SHOWN, LOGS_SHOWN = 200, 20


def job(job_id: str) -> tuple[str, dict[str, Any]]:
    """The page of the job of that id, or of the only one that begins like that."""
    shown, project = job_shown(job_id), current_caller().project_id
    with current_services().database.snapshot() as connection:
        row = find_job(connection, str(shown.id))
        events, more_events = queries.events_of(connection, project, row.id, limit=EVENTS_SHOWN)
        logs, _ = queries.logs_of(connection, project, row.id, limit=LOGS_SHOWN)
        values = {
            "job": shown, "events": [event_answer(event) for event in events], "more_events": more_events, "logs": logs,
            "artifacts": queries.artifacts_of(connection, project, row.id),
            "metrics": queries.metric_names(connection, project, row.id),
            "curve": loss_picture(connection, row), "time_spent": time_spent(shown),
            "spec_text": _as_text(shown.spec),
            "is_live": shown.state not in FINISHED, "is_finished": shown.state in FINISHED,
            "is_running": shown.state == State.RUNNING, "may_change": may_change(row),
        }  # fmt: skip
    return "job.html", values | {"model": model_over_data(row, files_of_caller)}


def _as_text(spec: Any) -> str:
    return orjson.dumps(spec, option=orjson.OPT_INDENT_2).decode()
