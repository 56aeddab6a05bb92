"""What a job waits for before it is trained: jobs and batches that were submitted before it."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from gradyard.jobs.identifiers import SHORTEST_BEGINNING, ids_beginning_with
from gradyard.jobs.strict_model import StrictModel

MOST_DEPENDENCIES = 16


class Condition(StrEnum):
    """How a job or batch must end for those that depend on it."""

    SUCCEEDED = "succeeded"
    ENDED = "ended"


class Kind(StrEnum):
    """What a job may wait for."""

    JOB = "job"
    BATCH = "batch"


class WaitState(StrEnum):
    """How far a wait for jobs and batches is."""

    WAITING = "waiting"
    MET = "met"  # all ended as asked; its jobs are released in steps
    FAILED = "failed"  # one ended otherwise; its jobs fail in steps
    CLOSED = "closed"  # no job waits any more


def _could_be_an_id(text: Any) -> Any:
    if isinstance(text, str) and ids_beginning_with(text) is None:
        message = (
            "must be the id of a job or batch that was submitted before, or {digits} digits of it at least; jobs of "
            "one request cannot name each other: submit the first ones, then those that depend on them"
        )
        raise PydanticCustomError("no_id", message, {"digits": SHORTEST_BEGINNING})
    return text


def _from_text(value: Any) -> Any:
    if not isinstance(value, str | dict | Dependency):
        raise PydanticCustomError("no_dependency", 'must be an id, or an object such as {"id": "ID"}')
    return {"id": _could_be_an_id(value)} if isinstance(value, str) else value


class Dependency(StrictModel):
    """A job or batch that must end before: its id, or the beginning of it, and how it must end."""

    id: Annotated[str, BeforeValidator(_could_be_an_id)] = Field(
        description="of a job or batch that was submitted before"
    )
    condition: Condition = Field(
        default=Condition.SUCCEEDED,
        strict=False,
        description="`succeeded`: with its result, of a batch every job; `ended`: in any way",
    )


_TEXT_OR_OBJECT = {
    "anyOf": [
        {"type": "string", "description": "the id of a job or batch that must succeed before"},
        {
            "type": "object",
            "title": "Dependency",
            "additionalProperties": False,
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "description": "of a job or batch that was submitted before"},
                "condition": {"type": "string", "enum": list(Condition), "default": Condition.SUCCEEDED.value},
            },
        },
    ]
}


def _each_once(dependencies: "tuple[Dependency, ...]") -> "tuple[Dependency, ...]":
    ids = [each.id.lower() for each in dependencies]
    if twice := next((text for place, text in enumerate(ids) if text in ids[:place]), None):
        raise PydanticCustomError("named_twice", "names {id} twice; leave one of them out", {"id": twice})
    return dependencies


Dependencies = Annotated[
    tuple[Annotated[Dependency, BeforeValidator(_from_text), WithJsonSchema(_TEXT_OR_OBJECT)], ...],
    Field(
        max_length=MOST_DEPENDENCIES,
        strict=False,
        description='jobs and batches that must end before it is trained: `["ID", {"id": "ID", '
        '"condition": "ended"}]`. One that ends otherwise fails it',
    ),
    AfterValidator(_each_once),
]


def is_full_id(text: str) -> bool:
    """Whether the text is a whole id, not only the beginning of one."""
    return len(re.sub("-", "", text)) == 32


def as_written(dependencies: Sequence[Dependency]) -> list[dict[str, str]]:
    """The dependencies as JSON values."""
    return [{"id": each.id, "condition": each.condition.value} for each in dependencies]
