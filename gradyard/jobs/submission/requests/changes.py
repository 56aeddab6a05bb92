"""Bodies of requests that change jobs: what to change of one, what to do with all of a question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from gradyard.jobs.errors import BodyInvalid, FieldProblem
from gradyard.jobs.questions.read import MOST_BYTES
from gradyard.jobs.specs.base import MOST_TAGS, Name, Priority, TagKey, TagValue
from gradyard.jobs.specs.paths import MOST_FIELDS, Path
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.submission.requests.verbs import read_body


class JobPatch(StrictModel):
    """Changes of a job as a JSON merge patch (RFC 7396): null takes a value away, what is not named stays."""

    name: Name | None = None
    tags: dict[TagKey, TagValue | None] | None = Field(default=None, description="by key; null takes a tag away")
    pinned: bool | None = Field(default=None, description="kept: retention leaves it, and a deletion is refused")
    priority: Priority | None = Field(default=None, description="while the job is queued")


@dataclass(frozen=True)
class TagChanges:
    """New values of tags by their keys, None for one that goes; `anew`: of all tags, else of these alone."""

    values: Mapping[str, str | None] = field(default_factory=dict)
    anew: bool = False

    def of(self, tags: Mapping[str, str]) -> dict[str, str]:
        """The tags afterwards."""
        changed = {} if self.anew else dict(tags)
        for key, value in self.values.items():
            if value is None:
                changed.pop(key, None)
            else:
                changed[key] = value
        return changed


def too_many_tags(tags: Mapping[str, str]) -> str | None:
    """What is wrong with so many tags of one job; None where they are not too many."""
    return None if len(tags) <= MOST_TAGS else f"the job would have {len(tags)} tags; at most {MOST_TAGS}"


class ActionRequest(StrictModel):
    """What to do with all jobs that satisfy a question."""

    where: str = Field(min_length=1, max_length=MOST_BYTES, description='a question: `state == "failed"`')
    action: Literal["cancel", "retry", "delete", "tag"]
    expected_count: int | None = Field(default=None, ge=0, description="409 where another number of jobs satisfies it")
    tags: dict[TagKey, TagValue | None] | None = Field(
        default=None, min_length=1, description="for the action `tag`: by key; null takes a tag away"
    )
    changes: dict[Path, Any] | None = Field(
        default=None, alias="set", min_length=1, max_length=MOST_FIELDS,
        description="for the action `retry`: new values of parameters, by their paths",
    )  # fmt: skip

    @model_validator(mode="after")
    def _changes_are_for_retries(self) -> Self:
        if self.changes is not None and self.action != "retry":
            raise PydanticCustomError("at_set", "is for the action retry")
        return self

    @model_validator(mode="after")
    def _tags_are_for_tagging(self) -> Self:
        if (self.tags is not None) != (self.action == "tag"):
            if self.action == "tag":
                raise PydanticCustomError("at_tags", 'is missing: {"tags": {"course": "w3", "old": null}}')
            raise PydanticCustomError("at_tags", "is for the action tag")
        return self


@dataclass(frozen=True)
class JobChanges:
    """New values of a job by the names of its columns (name, pinned, priority), and those of its tags."""

    columns: Mapping[str, Any]
    tags: TagChanges


def read_job_changes(body: bytes) -> JobChanges:
    """The changes in the body. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    patch: JobPatch = read_body(_PATCH, body)
    given = patch.model_fields_set
    columns: dict[str, Any] = {name: getattr(patch, name) for name in ("name", "pinned", "priority") if name in given}
    taken_away: dict[str, Any] = {"name": None, "pinned": False, "priority": 0}
    columns = {name: taken_away[name] if value is None else value for name, value in columns.items()}
    return JobChanges(columns, TagChanges(patch.tags or {}, anew="tags" in given and patch.tags is None))


def read_action(body: bytes) -> ActionRequest:
    """The action in the body. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    request: ActionRequest = read_body(_ACTION, body)
    return request


def refuse_tags(message: str) -> BodyInvalid:
    """The refusal of the tags in a body."""
    return BodyInvalid([FieldProblem("/tags", message)])


_PATCH, _ACTION = TypeAdapter(JobPatch), TypeAdapter(ActionRequest)
