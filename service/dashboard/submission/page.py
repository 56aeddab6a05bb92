"""The page of the form, and what a browser without scripts sends from it."""

import hmac
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import orjson
from flask import Response, g, request
from pydantic import ConfigDict, Field
from werkzeug.exceptions import Forbidden

from gradyard.jobs.errors import BatchInvalid, BodyMalformed, FieldProblem, SpecInvalid
from gradyard.jobs.stages.registry import REFUSED, STAGES
from gradyard.jobs.submission.batches import is_batch
from gradyard.jobs.submission.changed_specs import spec_now
from gradyard.jobs.submission.parse import parse_job
from service.dashboard.administration.asked import asked
from service.dashboard.html import html, link
from service.dashboard.submission.fields import NOT_CHOSEN, Part, as_json, fields_of
from service.dashboard.submission.fields import Field as FormField
from service.dashboard.submission.on_file import spec_on_file
from service.dashboard.submission.typed import text_of, typed
from service.files.of_caller import files_of_caller
from service.http.ids import find_job
from service.http.page_sessions.cookie import form_token
from service.http.parameters import ProjectQuery, StageName
from service.http.services import current_services
from service.large_batches import batch_in_turn
from service.submission import accept_batch, accept_job

MORE = ("name", "tags", "device", "priority", "depends_on", "pool", "gpu_memory_mib", "timeout_seconds", "max_retries")
FIRST = ("learning_rate", "steps", "epochs", "seed")
USUAL_STAGE = "optim"


class SubmitPageQuery(ProjectQuery):
    """Which form, and with the values of which job, or on which file."""

    model_config = ConfigDict(extra="forbid")
    stage: StageName | None = None
    of_job: str | None = Field(default=None, alias="from")
    file: str | None = None


def submit() -> Response:
    """The form; or, from a browser without scripts, a spec that is submitted."""
    return _sent() if request.method == "POST" else html("submit.html", **_form(asked(SubmitPageQuery)))


def _form(query: SubmitPageQuery, **sent: Any) -> dict[str, Any]:
    given, of_job = _spec_of(query.of_job) if query.of_job else ({}, None)
    if query.file:
        given = spec_on_file(query.file, query.stage)
    stage = STAGES[query.stage or given.get("stage") or (USUAL_STAGE if USUAL_STAGE in STAGES else next(iter(STAGES)))]
    spec = given if given.get("stage") == stage.name else {"stage": stage.name}
    fields = fields_of(stage.spec.model_json_schema())
    shown, texts = {each.path: each for each in fields}, typed(fields, spec)
    plain = [each for each in fields if isinstance(each, FormField) and each.path not in MORE]
    return {
        "stages": list(STAGES.values()), "refused": REFUSED, "stage": stage, "of_job": of_job,
        "plain": sorted(plain, key=_place), "parts": [each for each in fields if isinstance(each, Part)],
        "further": [shown[name] for name in MORE if name in shown], "typed": texts,
        "further_typed": any(texts.get(name) for name in MORE),
        "spec_text": orjson.dumps(spec, option=orjson.OPT_INDENT_2).decode(), "problems": [],
        "text_of": text_of, "as_json": as_json, "NOT_CHOSEN": NOT_CHOSEN,
        "needs_key": current_services().settings.admin_key is not None,
    } | sent  # fmt: skip


def _place(field: FormField) -> int:
    return FIRST.index(field.path) if field.path in FIRST else len(FIRST)


def _spec_of(text: str) -> tuple[Mapping[str, Any], Any]:
    with current_services().database.snapshot() as connection:
        job = find_job(connection, text)
    return spec_now(job), job


def _sent() -> Response:
    """The spec, sweep or list of jobs of a form, submitted; the form once more where it is refused."""
    request.get_data(parse_form_data=True)  # raises where the body was cut off
    text = request.form.get("spec", "")
    token: str | None = g.get("session_token")
    if token and not hmac.compare_digest(request.form.get("token", "").encode(), form_token(token).encode()):
        raise Forbidden("the form is not of this session; load the page again")
    try:
        path = _accepted(text.encode())
    except (SpecInvalid, BatchInvalid, BodyMalformed) as error:
        values = _form(asked(SubmitPageQuery), problems=_problems(error), spec_text=text)
        return html("submit.html", 422, **values)
    return Response(status=303, headers={"Location": path})


def _problems(error: SpecInvalid | BatchInvalid | BodyMalformed) -> list[FieldProblem]:
    if isinstance(error, BodyMalformed):
        return [FieldProblem("", f"is not JSON: {error}")]
    if isinstance(error, SpecInvalid):
        return error.problems
    return [FieldProblem(f"/jobs/{number}{each.pointer}", each.message) for number, each in error.problems]


def _accepted(body: bytes) -> str:
    """The address of the page of the job or batch that was stored."""
    if is_batch(body):
        with batch_in_turn(BytesIO(body)) as parsed:
            batch = accept_batch(parsed, "", 0)
        return link("batch", batch_id=orjson.loads(batch.get_data())["id"])
    job = accept_job(parse_job(body, current_services().settings, files_of_caller), body)
    return link("job", job_id=orjson.loads(job.get_data())["id"])
