"""Many jobs with their curves in one streamed answer: those that satisfy a question, or those of a batch."""

from collections.abc import Iterable
from uuid import UUID

from flask import Response, request
from werkzeug.exceptions import NotAcceptable

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.exports import CONTENT_TYPES, Curves, Form
from gradyard.jobs.questions.read import question
from gradyard.jobs.questions.terms import All, Among, Term
from gradyard.store import queries
from service.exports.arrow import as_arrow, check_arrow_is_there
from service.exports.csv_lines import as_csv, as_losses_alone
from service.exports.ndjson import as_ndjson
from service.exports.slices import Slices, Wanted
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.errors import ParametersInvalid
from service.http.ids import find_batch, find_jobs
from service.http.openapi import EXPORT, problems, routes
from service.http.query_parameters.exports import BatchExportQuery, ExportOptions, ExportQuery
from service.http.services import current_services
from service.streamed import streamed

api = routes("export", "/v1", tag="exports")


@api.get("/jobs/export", responses={"200": EXPORT, **problems(404, 406, 409, 410, 422, 505)})
def export_jobs(query: ExportQuery) -> Response:
    """Stream the jobs that satisfy a question, those of a batch, those that are named, or all, by their ids.

    `Accept` or `format` chooses NDJSON, CSV, Parquet or Arrow. The jobs are those that were there when the export
    began; each is shown as it is when its part of the answer is read.
    """
    batch: UUID | None = None
    with current_services().database.read() as connection:
        if query.batch is not None:
            batch = find_batch(connection, query.batch).id
        named = Among(frozenset(row.id for row in find_jobs(connection, query.job))) if query.job else None
    return _exported(query, batch, Curves(query.curves or "none"), named)


@api.get("/batches/<batch_id>/export", responses={"200": EXPORT, **problems(404, 406, 409, 410, 422, 505)})
def export_batch(path: parameters.BatchPath, query: BatchExportQuery) -> Response:
    """Stream the jobs of a batch, in the order of their ids, unfinished ones included.

    Without `curves`, NDJSON has each job as its own route shows it, with its losses, and CSV is `job,step,loss`.
    """
    with current_services().database.read() as connection:
        batch = find_batch(connection, path.batch_id).id
    return _exported(query, batch, None if query.curves is None else Curves(query.curves))


def _exported(
    query: ExportOptions, batch: UUID | None, curves: Curves | None, named: Among | None = None
) -> Response:  # fmt: skip
    form = _form(query)
    if form in (Form.PARQUET, Form.ARROW):
        check_arrow_is_there(form)
    try:
        asked = None if query.where is None else question(query.where)
    except SpecInvalid as error:
        raise ParametersInvalid(error.problems) from None
    term = asked if named is None else All((named,) if asked is None else (named, asked))
    response = streamed(lambda: _body(form, term, batch, curves, query), _type(form))
    response.headers["Vary"] = "Accept"
    if query.format is not None:
        response.headers["Content-Disposition"] = f"attachment; filename=jobs.{form}"
    return response


def _body(
    form: Form, term: Term | None, batch: UUID | None, curves: Curves | None, query: ExportOptions
) -> Iterable[bytes]:  # fmt: skip
    services, caller = current_services(), current_caller()
    with services.database.snapshot() as connection:
        asked = queries.jobs_to_export(connection, caller.project_id, term, batch)
    wanted = Wanted(asked, curves is not Curves.NONE, whole=curves is None and form is Form.NDJSON)
    slices, columns = Slices(services, caller, wanted), wanted.columns
    if form is Form.NDJSON:
        return as_ndjson(slices, columns, curves or Curves.LIST, in_base64=query.losses == "base64")
    if form is Form.CSV:
        return as_losses_alone(slices) if curves is None else as_csv(slices, columns, curves)
    return as_arrow(slices, wanted, curves or Curves.LIST, form)


def _form(query: ExportOptions) -> Form:
    if query.format is not None:
        return Form(query.format)
    if not request.accept_mimetypes:
        return Form.NDJSON
    chosen = request.accept_mimetypes.best_match(list(CONTENT_TYPES.values()))
    for form, content_type in CONTENT_TYPES.items():
        if content_type == chosen:
            return form
    raise NotAcceptable(f"jobs are exported as {', '.join(CONTENT_TYPES.values())}")


def _type(form: Form) -> str:
    return f"{form.content_type}; charset=utf-8; header=present" if form is Form.CSV else form.content_type
