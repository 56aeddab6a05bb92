"""One batch: how far it is, its best jobs, why jobs failed; and the frame of its charts."""

from typing import Any

import orjson
from flask import request

from gradyard.jobs.states import State
from gradyard.store import queries
from service.dashboard.batches.listed import best_so_far
from service.http.access.projects import may_change_batch
from service.http.ids import find_batch
from service.http.services import current_services
from service.representation.batches import batch_answer

BEST_SHOWN = 10


def batch(batch_id: str) -> tuple[str, dict[str, Any]]:
    """The page of the batch of that id, or of the only one that begins like that."""
    with current_services().database.snapshot() as connection:
        row = find_batch(connection, batch_id)
        counts = queries.counts_of_batches(connection, [row.id])[row.id]
        shown = batch_answer(row, counts, queries.failures_of_batch(connection, row.id))
        best, may_change = best_so_far(connection, row.id, BEST_SHOWN), may_change_batch(connection, row)
    ended = sum(counts[state] for state in (State.SUCCEEDED, State.FAILED, State.CANCELLED))
    return "batch.html", {
        "batch": shown, "best": best, "ended": ended, "may_change": may_change,
        "asked_runs": any(request.args.get(name) for name in ("where", "metric", "mode")),
        "sweep_text": None if row.sweep is None else orjson.dumps(row.sweep, option=orjson.OPT_INDENT_2).decode(),
    }  # fmt: skip
