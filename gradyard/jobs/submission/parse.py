"""From the bytes of a request to a job that can be stored: parse, check, resolve."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, Union

import orjson
from pydantic import Field, TypeAdapter

from gradyard.jobs.errors import ContentMissing, FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.base import JobSpec, sha256_of
from gradyard.jobs.specs.file_data import FileData
from gradyard.jobs.specs.files_of_project import Files, NoFiles, with_its_file
from gradyard.jobs.specs.sweeps import Sweep
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.limits import check_cost
from gradyard.jobs.submission.parameters import ParametersOfJob
from gradyard.jobs.submission.resolution.prospects import Descents
from gradyard.jobs.submission.resolution.resolve import resolve
from gradyard.jobs.submission.sweep_hints import sweep_hint
from gradyard.jobs.validation.from_json import filled_up, validated
from gradyard.jobs.validation.json_text import plain_json
from gradyard.jobs.validation.pointers import Loc


class ParsedJob(NamedTuple):  # made for each job of a batch: a frozen dataclass takes three times as long
    """A spec that may be stored, the numbers computed from it, and warnings for its sender."""

    spec: JobSpec
    as_json: dict[str, Any]
    sha256: str
    pack_key: str
    resolved: dict[str, Any]
    warnings: list[dict[str, str]]
    parameters: ParametersOfJob
    like: "ParsedJob | None" = None
    """An earlier job of the same request, from which it differs in its seed, and what depends on that, alone."""


@cache
def spec_adapter() -> TypeAdapter[Any]:
    """The union of the specs of all stages, discriminated by `stage`."""
    models = tuple(stage.spec for stage in STAGES.values())
    union: Any = Annotated[Union[models], Field(discriminator="stage")]  # noqa: UP007 - the members are known at run time only
    return TypeAdapter(union)


def parse_job(body: bytes, settings: Settings, files: Files = NoFiles) -> ParsedJob:
    """Read one job spec from JSON.

    Raises BodyMalformed where the body is not JSON, SpecInvalid (with a JSON pointer for each problem) where it is not
    a valid job. files: gives those of the project that the job is for.
    """
    try:
        return resolved(read_spec(plain_json(body), settings, files))
    except SpecInvalid:
        _refuse_batch(body)
        raise


def _refuse_batch(body: bytes) -> None:
    """Say of a batch, or of a sweep, that it is no job."""
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    if not isinstance(whole, dict):
        return
    stage = whole.get("stage")
    if stage is None and {"jobs", "spec"} & whole.keys():
        raise SpecInvalid([FieldProblem("", "is a batch, not a job; send it to POST /v1/batches")])
    own = STAGES[stage].spec.model_fields if isinstance(stage, str) and stage in STAGES else whole
    if varied := [name for name in ("grid", "random") if name in whole and name not in own]:
        message = 'is for a sweep: {"spec": {…}, "grid": {…}}, sent to POST /v1/batches'
        raise SpecInvalid([FieldProblem(f"/{name}", message) for name in varied])


def read_spec(
    body: bytes, settings: Settings, files: Files = NoFiles, *, fill_up: bool = True
) -> JobSpec:  # fmt: skip
    """The spec in the body, within the limits of the settings. Raises BodyMalformed or SpecInvalid.

    fill_up: a part that does not say of which kind it is, such as `{"optimizer": {"momentum": 0.5}}`, is the stage's
    own with these values; else it is refused.
    """
    default_part = _part_of_the_stage if fill_up else None
    spec: JobSpec = validated(spec_adapter(), body, default_part=default_part, hint=sweep_hint)
    _check_device(spec)
    if isinstance(spec.dataset, FileData):
        spec = with_its_file(spec, spec.dataset, files)
    check_cost(spec, settings)
    return spec


def filled_up_sweep(sweep: Sweep) -> Sweep:
    """The sweep with those parts in its spec that `read_spec` would fill up in each of its jobs."""
    first = {} if "stage" in sweep.grid else next(sweep.members())
    try:
        filled = filled_up(spec_adapter(), orjson.dumps(first), _part_of_the_stage)
    except orjson.JSONEncodeError:  # nested too deeply, which is told of each job
        filled = None
    if filled is None:
        return sweep
    parts = {name: part for name, part in orjson.loads(filled).items() if part != first.get(name)}
    return sweep.model_copy(update={"spec": {**sweep.spec, **parts}})  # each job puts its own values over the first's


def _part_of_the_stage(spec: Any, place: Loc) -> Mapping[str, Any]:
    """The part that a spec of this stage has there by default."""
    stage = spec.get("stage") if isinstance(spec, dict) and len(place) == 1 else None
    part = STAGES[stage].defaults().get(str(place[0])) if isinstance(stage, str) and stage in STAGES else None
    return part if isinstance(part, dict) else {}


def _check_device(spec: JobSpec) -> None:
    devices = STAGES[spec.stage].devices
    if spec.device not in (*devices, "auto"):
        message = f'stage "{spec.stage}" runs on {" and ".join(devices)} alone, not on {spec.device}'
        raise SpecInvalid([FieldProblem("/device", message)])


def resolved(spec: JobSpec) -> ParsedJob:
    """The spec with the numbers computed from it. Raises SpecInvalid for a plug-in's spec that cannot be stored."""
    descents = Descents()
    parsed = resolved_with_others(spec, descents)
    descents.warn()
    return parsed


def resolved_with_others(spec: JobSpec, descents: Descents) -> ParsedJob:
    """The spec of one of many jobs with the numbers computed from it.

    Its `warnings` are complete after `descents.warn()`. Raises as `resolved` does.
    """
    try:
        numbers, warnings = resolve(spec, descents)
    except ContentMissing as error:
        raise refusal_of_lost(error) from None
    try:
        as_json = spec.as_json()
        pack_key = spec.pack_key(STAGES[spec.stage].numerics_version)
        parameters = ParametersOfJob.of(as_json, numbers)
        return ParsedJob(spec, as_json, sha256_of(as_json), pack_key, numbers, warnings, parameters)
    except Exception as error:  # a plug-in's `shape` may raise anything; JSON may hold numbers that no database stores
        raise SpecInvalid([FieldProblem("", f"cannot be stored: {type(error).__name__}: {error}")]) from None


def refusal_of_lost(error: ContentMissing) -> SpecInvalid:
    """The refusal of a spec whose file is gone."""
    return SpecInvalid([FieldProblem("/dataset/file", f"cannot be read: {error}; upload it once more")])
