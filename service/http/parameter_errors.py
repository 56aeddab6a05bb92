"""Refusals of parameters that are unknown, not valid or given twice, and of a body that its route does not read."""

from functools import cache
from typing import Any

from flask import Flask, request
from pydantic import TypeAdapter, ValidationError

from gradyard.jobs.errors import BodyInvalid, FieldProblem
from gradyard.jobs.validation.messages import NO_SUCH_FIELD, problems_of
from gradyard.jobs.validation.pointers import Pointers, pointer_of
from service.http.errors import ParametersInvalid
from service.http.parameters import Query

TAKE_A_BODY = {
    "jobs.submit_job", "batches.submit_batch", "batches.retry_batch", "predict.predict", "fleet.drain_workers",
    "fleet.pause_queue", "api_keys.make_key",
}  # fmt: skip


def install(app: Flask) -> None:
    """Refuse every request of which the view would drop a part: a query parameter given twice, or a body."""
    app.before_request(_refuse_repeated)
    app.before_request(_refuse_unread_body)


def refuse_parameters(error: ValidationError) -> None:
    """Raise ParametersInvalid with a pointer to each parameter that is unknown or not valid."""
    problems = problems_of(error.errors(include_url=False), _pointers_of(error.title))
    raise ParametersInvalid([FieldProblem(each.pointer, _of_parameters(each.message)) for each in problems])


def _of_parameters(message: str) -> str:
    return message.replace("field", "parameter") if message.startswith(NO_SUCH_FIELD) else message


def _refuse_repeated() -> None:
    repeated = [(name, len(values)) for name, values in request.args.lists() if len(values) > 1]
    if request.endpoint is not None and repeated:
        raise ParametersInvalid([
            FieldProblem(pointer_of((name,)), f"is given {times} times; give it once") for name, times in repeated
        ])  # fmt: skip


def _refuse_unread_body() -> None:
    if request.endpoint is None or request.endpoint in TAKE_A_BODY:
        return
    if request.get_data().strip() not in (b"", b"{}"):
        raise BodyInvalid([FieldProblem("", "this route takes no body, so none of it would have an effect")])


@cache
def _pointers_of(name: str) -> Pointers:
    """The pointers into the parameters of that name."""
    models: dict[str, type[Any]] = {each.__name__: each for each in Query.__subclasses__()}
    return Pointers(TypeAdapter(models.get(name, Query)))
