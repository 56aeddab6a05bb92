"""The parameters of paths and queries."""

from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from gradyard.jobs.audit import Action
from gradyard.jobs.questions.read import MOST_BYTES
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.states import State
from gradyard.jobs.validation.messages import value_text
from gradyard.jobs.validation.suggestions import did_you_mean
from service.http.query_parameters.ids import BatchId
from service.http.query_parameters.whole_numbers import Whole


def _known_stage(name: str) -> str:
    if name not in STAGES:
        raise ValueError(f"must be one of {', '.join(STAGES)}, not {value_text(name)}{did_you_mean(name, STAGES)}")
    return name


StageName = Annotated[str, AfterValidator(_known_stage), Field(json_schema_extra={"enum": list(STAGES)})]


class Query(BaseModel):
    """Query parameters. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The JSON Schema, cached: flask-openapi3 reads it with every request."""
        return _json_schema(cls, *args, **options)


@cache
def _json_schema(model: type[Query], *args: Any, **options: Any) -> dict[str, Any]:
    schema = super(Query, model).model_json_schema(*args, **options)
    for parameter in schema.get("properties", {}).values():
        if "anyOf" in parameter:  # None means an absent parameter; no text in a query stands for it
            parameter |= parameter.pop("anyOf")[0]
            del parameter["default"]
        if parameter.get("default") == []:  # generators of clients want a scalar here, or nothing
            del parameter["default"]
    return schema


Project = Annotated[
    str | None,
    Field(default=None, max_length=64, description="another project than the key's own, by its name; for operators"),
]


class ProjectQuery(Query):
    """In which project."""

    project: Project = None


class ListQuery(Query):
    """Which jobs to list."""

    state: State | None = Field(default=None, description="only jobs in this state")
    stage: StageName | None = Field(default=None, description="only jobs of this stage")
    batch: BatchId | None = Field(
        default=None, description="only jobs of this batch; its id, or a beginning of at least 8 digits"
    )
    where: str | None = Field(
        default=None, max_length=MOST_BYTES, description='a question: `loss_min < 9 and stage in ("nn", "optim")`'
    )
    name: str | None = Field(default=None, max_length=200, description="only jobs of this name")
    tag: list[str] = Field(
        default=[], max_length=20, description="only jobs with this tag: `course=w3`; several must all be there"
    )
    sort: str | None = Field(
        default=None, max_length=300, description="a column, the largest first after a minus: `-loss_min`"
    )
    fields: str | None = Field(
        default=None,
        max_length=MOST_BYTES,
        description="columns, to answer with these alone: `loss_min, learning_rate, tags.course, first_below(9)`",
    )
    limit: Whole = Field(default=50, ge=1, le=200, description="at most so many")
    cursor: str | None = Field(default=None, description="the next_cursor of the page before")
    project: Project = None


class PageQuery(Query):
    """Which page."""

    limit: Whole = Field(default=50, ge=1, le=200, description="at most so many")
    cursor: str | None = Field(default=None, description="the next_cursor of the page before")
    project: Project = None


class AuditQuery(Query):
    """Which entries of the audit."""

    project: str | None = Field(default=None, max_length=64, description="only what was done in this project")
    action: Action | None = Field(default=None, description="only what was done so")
    actor: str | None = Field(default=None, max_length=200, description="only what this one did: `api:NAME@PROJECT`")
    limit: Whole = Field(default=50, ge=1, le=200, description="at most so many")
    cursor: str | None = Field(default=None, description="the next_cursor of the page before")


class SubmitQuery(Query):
    """Before which work of all projects it goes."""

    precedence: Whole = Field(
        default=0, ge=-100, le=100, description="work of a higher one goes first; not 0: keys of the operator alone"
    )
    project: Project = None


class NewQuery(SubmitQuery):
    """Before which work of all projects it goes, or only whether it is valid."""

    dry_run: bool = Field(default=False, description="true: check it, answer 200 with what it would be, store nothing")


class JobQuery(Query):
    """How long to wait for the end of the job."""

    wait: float = Field(
        default=0.0, ge=0, le=60, allow_inf_nan=False, description="for how many seconds to wait for the job's end"
    )
    project: Project = None


class HoldQuery(Query):
    """No query parameters; a reason stands in the body."""

    @model_validator(mode="before")
    @classmethod
    def _no_reason(cls, given: dict[str, Any]) -> dict[str, Any]:
        if "reason" in given:
            raise PydanticCustomError("at_reason", 'send the reason in the body: {"reason": "..."}')
        return given


class NoQuery(Query):
    """No query parameters."""


class JobPath(BaseModel):
    """Which job."""

    job_id: str = Field(description="a UUID, or a beginning of at least 8 digits that no other job has")


class NamedPath(JobPath):
    """Which curve or array of a job."""

    name: str = Field(description="the name of the metric or array, as its stage gave it")


class BatchPath(BaseModel):
    """Which batch."""

    batch_id: str = Field(description="a UUID, or a beginning of at least 8 digits that no other batch has")


class KeyPath(BaseModel):
    """Which key of the API."""

    key_id: str = Field(description="a UUID")


class DrainPath(BaseModel):
    """Which host, or which slot."""

    target: str = Field(description="HOST, SLOT@HOST, a SLOT of every host, or the UUID of a GPU")


class QueuePath(BaseModel):
    """Which queue."""

    queue: str = Field(description="cpu or gpu")


class StagePath(BaseModel):
    """Which stage."""

    name: str = Field(description="the name of the stage, as `GET /v1/stages` lists it")
