"""The results and losses of a batch in one streamed answer: a line for each job, or for each loss."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from flask import Response, request
from sqlalchemy import Row
from werkzeug.exceptions import NotAcceptable, Unauthorized

from gradyard.store import queries
from service.http import parameters
from service.http.callers import Caller, current_caller
from service.http.ids import find_batch
from service.http.json_response import dump_json
from service.http.openapi import EXPORT, problems, routes
from service.http.services import Services, current_services
from service.representation.jobs import job_answer
from service.routes.losses import CSV, csv_lines

NDJSON = "application/x-ndjson"
SLICE_BYTES = 2**24  # of curves in memory at once
LEFT_OUT = ("spec", "resolved", "warnings", "waiting", "batch")  # equal for all jobs, or shown by GET /v1/jobs/{id}

api = routes("export", "/v1/batches", tag="batches")


@api.get("/<batch_id>/export", responses={"200": EXPORT, **problems(404, 406, 409, 410, 422)})
def export_batch(path: parameters.BatchPath, query: parameters.ExportQuery) -> Response:
    """Stream every job of a batch with its result and all of its losses, in the order of their ids.

    application/x-ndjson has an object for each job, text/csv a line for each loss. Unfinished jobs are included.
    """
    form = request.accept_mimetypes.best_match([NDJSON, CSV]) if request.accept_mimetypes else NDJSON
    if form is None:
        raise NotAcceptable(f"a batch is exported as {NDJSON} or {CSV}")
    caller, services = current_caller(), current_services()
    with services.database.read() as connection:
        batch_id = find_batch(connection, path.batch_id).id
    jobs = _jobs(services, caller, batch_id)
    lines = _as_csv(jobs) if form == CSV else _as_json(jobs, _as_base64 if query.losses == "base64" else _as_numbers)
    response = Response(lines, content_type=f"{CSV}; charset=utf-8; header=present" if form == CSV else NDJSON)
    response.headers["Vary"] = "Accept"
    return response


def _jobs(services: Services, caller: Caller, batch_id: UUID) -> Iterator[tuple[Row[Any], np.ndarray]]:
    """Each job with its losses, (steps recorded,). Every slice has its own transaction: a slow client blocks nothing.

    Where the key is revoked during the answer, the connection breaks, which no client takes for a complete answer.
    """
    after: UUID | None = None
    while True:
        if not services.keys.still_opens(caller):
            raise Unauthorized("the key was revoked while the answer was under way")
        with services.database.read() as connection:
            jobs = queries.jobs_of_batch(connection, caller.project_id, batch_id, after, SLICE_BYTES)
            curves = queries.loss_curves(connection, caller.project_id, jobs)
        yield from ((job, curves[job.id]) for job in jobs)
        if not jobs:
            return
        after = jobs[-1].id


def _as_json(
    jobs: Iterator[tuple[Row[Any], np.ndarray]], written: Callable[[np.ndarray], np.ndarray | str]
) -> Iterator[bytes]:
    for job, losses in jobs:
        shown = {name: value for name, value in job_answer(job, None).__dict__.items() if name not in LEFT_OUT}
        shown |= {"seed": job.spec["seed"], "dtype": job.dtype, "losses": written(losses)}
        yield dump_json(shown, orjson.OPT_APPEND_NEWLINE)


def _as_numbers(losses: np.ndarray) -> np.ndarray:
    return losses


def _as_base64(losses: np.ndarray) -> str:
    return b64encode(losses.tobytes()).decode()


def _as_csv(jobs: Iterator[tuple[Row[Any], np.ndarray]]) -> Iterator[bytes]:
    yield b"job,step,loss\n"
    for job, losses in jobs:
        begin = f"{job.id},".encode()
        for block in list(csv_lines(losses, ""))[1:]:
            yield b"".join(begin + line for line in block.splitlines(keepends=True))
