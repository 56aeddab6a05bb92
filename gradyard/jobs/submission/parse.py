"""From the bytes of a request to a job that can be stored: parse, check, resolve."""

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
"""The most colons of one body. No job has so many fields, and reporting a wrong field costs more than reading it."""


@dataclass(frozen=True)
class ParsedJob:
    """A spec that may be stored, the numbers computed from it, and warnings for its sender."""

    spec: JobSpec
    as_json: dict[str, Any]
    sha256: str
    pack_key: str
    resolved: dict[str, Any]
    warnings: list[dict[str, str]]


@cache
def spec_adapter() -> TypeAdapter[Any]:
    """The union of the specs of all stages, discriminated by `stage`."""
    models = tuple(stage.spec for stage in STAGES.values())
    union: Any = Annotated[Union[models], Field(discriminator="stage")]  # noqa: UP007 - the members are known at run time only
    return TypeAdapter(union)


def parse_job(body: bytes, settings: Settings) -> ParsedJob:
    """Read one job spec from JSON.

    Raises BodyMalformed where the body is not JSON, SpecInvalid (with a JSON pointer for each problem) where it is not
    a valid job.
    """
    return resolved(read_spec(body, settings))


def read_spec(body: bytes, settings: Settings) -> JobSpec:
    """The spec in the body, within the limits of the settings. Raises BodyMalformed or SpecInvalid."""
    if body.count(b":") > MOST_COLONS:
        raise SpecInvalid([FieldProblem("", f"has far too many fields; a job has at most {MOST_COLONS:,}")])
    try:
        spec: JobSpec = spec_adapter().validate_json(body)
    except ValidationError as error:
        raise refusal_of(error, spec_adapter()) from None
    check_cost(spec, settings)
    return spec


def resolved(spec: JobSpec) -> ParsedJob:
    """The spec with the numbers computed from it. Raises SpecInvalid for a plug-in's spec that cannot be stored."""
    numbers, warnings = resolve(spec)
    try:
        as_json = spec.as_json()
        pack_key = spec.pack_key(STAGES[spec.stage].numerics_version)
        return ParsedJob(spec, as_json, sha256_of(as_json), pack_key, numbers, warnings)
    except Exception as error:  # a plug-in's `shape` may raise anything; JSON may hold numbers that no database stores
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
