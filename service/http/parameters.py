"""The parameters of paths and queries."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.states import State
from gradyard.jobs.validation.messages import value_text
from gradyard.jobs.validation.suggestions import did_you_mean
from service.http.ids import SHORTEST_BEGINNING, ids_beginning_with


def _known_stage(name: str) -> str:
    if name not in STAGES:
        raise ValueError(f"must be one of {', '.join(STAGES)}, not {value_text(name)}{did_you_mean(name, STAGES)}")
    return name


def _like_an_id(text: str) -> str:
    if ids_beginning_with(text) is None:
        raise ValueError(f"must be the id of a batch, or a beginning of at least {SHORTEST_BEGINNING} digits")
    return text


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
    return schema


class ListQuery(Query):
    """Which jobs to list."""

    state: State | None = None
    stage: Annotated[str, AfterValidator(_known_stage), Field(json_schema_extra={"enum": list(STAGES)})] | None = None
    batch: Annotated[str, AfterValidator(_like_an_id)] | None = Field(
        default=None, description="only jobs of this batch; its id, or a beginning of at least 8 digits"
    )
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, description="the next_cursor of the page before")


class PageQuery(Query):
    """Which page."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, description="the next_cursor of the page before")


class BestQuery(Query):
    """How many jobs."""

    limit: int = Field(default=10, ge=1, le=200)


class SubmitQuery(Query):
    """Before which work of all projects it goes."""

    precedence: int = Field(
        default=0, ge=-100, le=100, description="work of a higher one goes first; not 0: keys of the operator alone"
    )


class JobQuery(Query):
    """How long to wait for the end of the job."""

    wait: float = Field(default=0.0, ge=0, le=60, allow_inf_nan=False, description="seconds")


class LossesQuery(Query):
    """How many points of the curve to answer as JSON."""

    points: int = Field(default=1000, ge=2, le=100_000)


class ExportQuery(Query):
    """How the losses are written."""

    losses: Literal["numbers", "base64"] = Field(
        default="numbers", description="in NDJSON; base64: of the little-endian bytes in the job's dtype"
    )


class HoldQuery(Query):
    """No query parameters; a reason stands in the body."""

    @model_validator(mode="before")
    @classmethod
    def _no_reason(cls, given: dict[str, Any]) -> dict[str, Any]:
        if "reason" in given:
            raise ValueError('send the reason in the body: {"reason": "..."}')
        return given


class NoQuery(Query):
    """No query parameters."""


class JobPath(BaseModel):
    """Which job."""

    job_id: str = Field(description="a UUID, or a beginning of at least 8 digits that no other job has")


class NamedPath(JobPath):
    """Which curve or array of a job."""

    name: str


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

    name: str
