"""From the bytes of a request to a job that can be stored: parse, check, resolve."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.base import JobSpec, sha256_of
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.limits import check_cost
from gradyard.jobs.submission.resolve import resolve
from gradyard.jobs.validation.from_json import validated
from gradyard.jobs.validation.json_text import plain_json


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
    return resolved(read_spec(plain_json(body), settings))


def read_spec(body: bytes, settings: Settings) -> JobSpec:
    """The spec in the body, within the limits of the settings. Raises BodyMalformed or SpecInvalid."""
    spec: JobSpec = validated(spec_adapter(), body)
    _check_device(spec)
    check_cost(spec, settings)
    return spec


def _check_device(spec: JobSpec) -> None:
    devices = STAGES[spec.stage].devices
    if spec.device not in (*devices, "auto"):
        message = f'stage "{spec.stage}" runs on {" and ".join(devices)} alone, not on {spec.device}'
        raise SpecInvalid([FieldProblem("/device", message)])


def resolved(spec: JobSpec) -> ParsedJob:
    """The spec with the numbers computed from it. Raises SpecInvalid for a plug-in's spec that cannot be stored."""
    numbers, warnings = resolve(spec)
    try:
        as_json = spec.as_json()
        pack_key = spec.pack_key(STAGES[spec.stage].numerics_version)
        return ParsedJob(spec, as_json, sha256_of(as_json), pack_key, numbers, warnings)
    except Exception as error:  # a plug-in's `shape` may raise anything; JSON may hold numbers that no database stores
        raise SpecInvalid([FieldProblem("", f"cannot be stored: {type(error).__name__}: {error}")]) from None
