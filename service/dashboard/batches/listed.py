"""The list of batches: how far each is, and its best job so far."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import request
from pydantic import ValidationError
from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.states import State
from gradyard.shapes.shown.differences import parameters_of
from gradyard.store import queries
from gradyard.store.queries.page.swept import first_and_last_jobs
from service.best import Choice, best_answer
from service.dashboard.html import link
from service.http.access.callers import current_caller
from service.http.errors import ParametersInvalid
from service.http.parameter_errors import refuse_parameters
from service.http.parameters import PageQuery
from service.http.query_parameters.pages import refusing_wrong_cursors
from service.http.services import current_services
from service.representation.batches import batch_summary
from service.representation.jobs import job_answer

SHOWN, MOST_VARIED = 25, 3
MOST_LOOKED_AT = 20_000
"""Succeeded jobs among which it is looked for best ones, on one page. Of larger batches the script of the page asks."""


def batches() -> tuple[str, dict[str, Any]]:
    """A page of the batches, the newest first."""
    query, project = _query(), current_caller().project_id
    with current_services().database.snapshot() as connection:
        with refusing_wrong_cursors():
            found, cursor = queries.batches_newest_first(connection, project, limit=query.limit, cursor=query.cursor)
        counts = queries.counts_of_batches(connection, [batch.id for batch in found])
        shown = [batch_summary(batch, counts[batch.id]) for batch in found]
        best = _best_of_each(connection, found, counts)
        varied = _varied(first_and_last_jobs(connection, project, [batch.id for batch in found]))
    return "batches.html", {
        "batches": shown, "best": best, "varied": varied, "values_of": parameters_of, "MOST_VARIED": MOST_VARIED,
        "is_first": query.cursor is None, "next_address": cursor and _address(cursor),
    }  # fmt: skip


def best_so_far(connection: Connection, batch: Any, limit: int = 1) -> shapes.BestJobs | None:
    """The best jobs of a batch; None where its stages say different things of what is best."""
    try:
        return best_answer(Choice(connection, current_caller().project_id, {"batch": batch}), None, None, limit)
    except ParametersInvalid:
        return None


def _best_of_each(
    connection: Connection, found: Sequence[Row[Any]], counts: Mapping[Any, Mapping[str, int]]
) -> dict[UUID, shapes.BestJobs | None]:
    best, rest = dict[UUID, shapes.BestJobs | None](), MOST_LOOKED_AT
    for batch in sorted(found, key=lambda batch: counts[batch.id][State.SUCCEEDED]):
        rest -= counts[batch.id][State.SUCCEEDED]
        if rest >= 0:
            best[batch.id] = best_so_far(connection, batch.id)
    return best


def _varied(jobs: Mapping[UUID, Sequence[Row[Any]]]) -> dict[UUID, list[str]]:
    """The names of the parameters in which the jobs of each batch differ."""
    known = {batch: [parameters_of(job_answer(job, None)) for job in those] for batch, those in jobs.items()}
    return {
        batch: [name for name in those[0] if any(each.get(name) != those[0][name] for each in those)]
        for batch, those in known.items()
    }


def _query() -> PageQuery:
    try:
        return PageQuery.model_validate({"limit": SHOWN} | request.args.to_dict())
    except ValidationError as error:
        refuse_parameters(error)
        raise


def _address(cursor: str) -> str:
    asked = request.args.to_dict() | {"cursor": cursor}
    return f"{link('batches').partition('?')[0]}?{urlencode(asked)}"
