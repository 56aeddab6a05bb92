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
        raise refusal_of(error) from None
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


def refusal_of(error: ValidationError) -> Exception:
    """BodyMalformed where the body is no JSON at all, else SpecInvalid."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        return BodyMalformed(details[0]["msg"].removeprefix("Invalid JSON: "))
    return SpecInvalid(problems_of(error))


def problems_of(error: ValidationError) -> list[FieldProblem]:
    """What is wrong, in our own words, by JSON pointer."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    problems = {(_pointer(detail["loc"], detail["type"]), _message(detail)) for detail in details}
    return [FieldProblem(*problem) for problem in sorted(problems)]


# A discriminated union puts the chosen tag into pydantic's location; a request knows no such level.
_TAGGED = {"dataset": {"function", "inline"}, "loss": {"mse", "l1", "smooth_l1", "huber"},
           "optimizer": {"sgd", "rmsprop", "adam", "adamw", "adagrad"}}  # fmt: skip
_BRANCHES = {"learning_rate", "init", "name", "pool", "gpu_memory_mib"}


def _pointer(loc: tuple[int | str, ...], kind: str) -> str:
    """A JSON pointer into the request (RFC 6901), without the levels that the models add."""
    if kind.startswith("at_"):  # a rule over several fields says itself which one it is about
        return "/" + kind.removeprefix("at_")
    parts = list(loc[1:]) if loc and loc[0] in STAGES else list(loc)
    if parts and parts[0] == "grid":
        parts = [part for index, part in enumerate(parts) if index != 2 or part not in ("list", "span")]
    if len(parts) > 1 and parts[1] in _TAGGED.get(str(parts[0]), ()):
        del parts[1]
    if parts and parts[0] in _BRANCHES:
        inside = [part for part in parts[1:] if part in COEFFICIENT_KEYS] if parts[0] == "init" else []
        parts = [parts[0], *inside]
    if parts and parts[-1] == "[key]":
        parts.pop()
    if kind.startswith("union_tag") and len(parts) <= 1:
        parts = [*parts, {"dataset": "kind"}.get(str(parts[0]), "name")] if parts else ["stage"]
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


COEFFICIENT_KEYS = frozenset("abcdefghij")


def _message(detail: Any) -> str:
    if detail["type"] == "extra_forbidden":
        return "there is no such field here"
    if detail["type"] in ("union_tag_not_found", "union_tag_invalid") and len(detail["loc"]) == 0:
        return f"must name a stage: one of {', '.join(STAGES)}"
    if detail["type"].startswith("union_tag") and detail["loc"][1] in _TAGGED:
        return f"must be one of {', '.join(sorted(_TAGGED[detail['loc'][1]]))}"
    return str(detail["msg"]).removeprefix("Value error, ")
