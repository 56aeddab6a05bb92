"""From the bytes of a request to a job that can be stored: parsed, checked, resolved."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter, ValidationError

from gradyard.jobs.errors import BodyMalformed, FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.base import JobSpec, sha256_of
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.limits import check_cost
from gradyard.jobs.submission.pointers import Place, pointers_into
from gradyard.jobs.submission.resolve import resolve

MOST_COLONS = 20_000
"""In one body: no job has so many fields, and each wrong one costs more to tell of than to read."""


@dataclass(frozen=True)
class ParsedJob:
    """A spec that may be stored, what was computed from it, and what its sender should know."""

    spec: JobSpec
    as_json: dict[str, Any]
    sha256: str
    pack_key: str
    resolved: dict[str, Any]
    warnings: list[dict[str, str]]


@cache
def spec_adapter() -> TypeAdapter[Any]:
    """The union of every stage's spec, told apart by `stage`."""
    models = tuple(stage.spec for stage in STAGES.values())
    union: Any = Annotated[Union[models], Field(discriminator="stage")]  # noqa: UP007 - made of what there is
    return TypeAdapter(union)


def parse_job(body: bytes, settings: Settings) -> ParsedJob:
    """Read one job spec from JSON.

    Raises BodyMalformed where it is no JSON, SpecInvalid (with a JSON pointer for each field) where it is no job.
    """
    return resolved(read_spec(body, settings))


def read_spec(body: bytes, settings: Settings) -> JobSpec:
    """The spec that the body says, within the ceilings of the settings; raises as `parse_job` does."""
    if body.count(b":") > MOST_COLONS:
        raise SpecInvalid([FieldProblem("", f"has far too many fields; a job has {MOST_COLONS:,} at the very most")])
    try:
        spec: JobSpec = spec_adapter().validate_json(body)
    except ValidationError as error:
        raise refusal_of(error, spec_adapter()) from None
    check_cost(spec, settings)
    return spec


def resolved(spec: JobSpec) -> ParsedJob:
    """The spec with all that is computed from it; SpecInvalid where a plug-in's cannot be stored."""
    numbers, warnings = resolve(spec)
    try:
        as_json = spec.as_json()
        pack_key = spec.pack_key(STAGES[spec.stage].numerics_version)
        return ParsedJob(spec, as_json, sha256_of(as_json), pack_key, numbers, warnings)
    except Exception as error:  # a plug-in's own words for its shape, or a number that no database has
        raise SpecInvalid([FieldProblem("", f"cannot be stored: {type(error).__name__}: {error}")]) from None


def refusal_of(error: ValidationError, adapter: TypeAdapter[Any]) -> Exception:
    """BodyMalformed where the body is not JSON at all, else SpecInvalid. `adapter` is the one that raised the error."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        return BodyMalformed(details[0]["msg"].removeprefix("Invalid JSON: "))
    return SpecInvalid(problems_of(error, adapter))


def problems_of(error: ValidationError, adapter: TypeAdapter[Any]) -> list[FieldProblem]:
    """What is wrong, each by its JSON pointer. `adapter` is the one that raised the error."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    pointers = pointers_into(adapter)
    problems = {_problem(detail, pointers.place_of(detail["loc"], detail["type"])) for detail in details}
    return [FieldProblem(*problem) for problem in sorted(problems)]


def _problem(detail: Any, place: Place) -> tuple[str, str]:
    if detail["type"] == "extra_forbidden":
        return place.pointer, "there is no such field here"
    if place.tags:
        return place.pointer, f"must be one of {', '.join(place.tags)}"
    return place.pointer, str(detail["msg"]).removeprefix("Value error, ")
