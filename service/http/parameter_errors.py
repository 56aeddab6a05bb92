"""Refusals of parameters that are unknown or not valid."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gradyard.jobs.errors import FieldProblem
from gradyard.jobs.validation.messages import NO_SUCH_FIELD, problems_of
from gradyard.jobs.validation.pointers import Pointers
from service.http.errors import ParametersInvalid
from service.http.parameters import Query


def refuse_parameters(error: ValidationError) -> None:
    """Raise ParametersInvalid with a pointer to each parameter that is unknown or not valid."""
    problems = problems_of(error.errors(include_url=False), _pointers_of(error.title))
    raise ParametersInvalid([FieldProblem(each.pointer, _of_parameters(each.message)) for each in problems])


def _of_parameters(message: str) -> str:
    return message.replace("field", "parameter") if message.startswith(NO_SUCH_FIELD) else message


@cache
def _pointers_of(name: str) -> Pointers:
    """The pointers into the parameters of that name."""
    models: dict[str, type[Any]] = {each.__name__: each for each in _queries_of(Query)}
    return Pointers(TypeAdapter(models.get(name, Query)))


def _queries_of(model: type[Query]) -> Iterator[type[Query]]:
    for each in model.__subclasses__():
        yield each
        yield from _queries_of(each)
