"""From the bytes of a request to a batch that can be stored. Every member is checked before any is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from gradyard.jobs.errors import BatchInvalid, BodyMalformed, FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.base import Text
from gradyard.jobs.specs.sweeps import MOST_FIELDS, Sweep
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.submission.batch_budget import BatchBudget, BudgetExceeded
from gradyard.jobs.submission.limits import figure
from gradyard.jobs.submission.parse import ParsedJob, problems_of, read_spec, resolved

MOST_PROBLEMS = 100
MOST_SWEEP_BYTES = 2**16  # a larger sweep is not stored with its batch


@dataclass(frozen=True)
class ParsedBatch:
    """A batch that may be stored: its jobs, its name, and the sweep that made it, if any."""

    jobs: list[ParsedJob]
    name: str | None = None
    sweep: dict[str, Any] | None = None


class _Named(StrictModel):
    name: Text | None = Field(default=None, max_length=200)


class SweepBody(Sweep, _Named):
    """A sweep with a name for its batch."""


_NAMED, _SWEEP = TypeAdapter(_Named), TypeAdapter(SweepBody)


def parse_batch(body: IO[bytes], settings: Settings, *, lines: bool = False) -> ParsedBatch:
    """Read a batch: `{"jobs": [...]}`, a sweep (`{"spec", "grid", "random", "samples"}`), or, with `lines`, NDJSON.

    Raises BodyMalformed where the body is not JSON, SpecInvalid where it has none of these forms or is too large,
    BatchInvalid where members are wrong; it has their number, and the first hundred problems.
    """
    if lines:
        return ParsedBatch(_parse_members((line for line in body if line.strip()), settings))
    whole = _parsed(body.read())
    if "jobs" in whole:
        return _parse_list(whole, settings)
    try:
        sweep = _SWEEP.validate_json(_dumped(whole))
    except ValidationError as error:
        raise SpecInvalid(problems_of(error, _SWEEP)) from None
    _check_count(sweep.size, settings)
    described: dict[str, Any] | None = sweep.model_dump(mode="json", exclude={"name"})
    if len(_dumped(described)) > MOST_SWEEP_BYTES:
        described = None
    return ParsedBatch(_parse_members(sweep.members(), settings), sweep.name, described)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyMalformed(str(error)) from None
    if not isinstance(whole, dict):
        raise SpecInvalid([FieldProblem("", 'a batch is {"jobs": [...]}, or a sweep with "spec" and "grid"')])
    return whole


def _dumped(value: Any) -> bytes:
    """The value as JSON. Raises BodyMalformed where it is nested too deeply: orjson reads deeper than it writes."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise BodyMalformed("it is nested too deeply") from None


def _parse_list(whole: dict[str, Any], settings: Settings) -> ParsedBatch:
    jobs = whole.pop("jobs")
    if not isinstance(jobs, list):
        raise SpecInvalid([FieldProblem("/jobs", "must be a list of jobs")])
    if len(whole) > MOST_FIELDS:
        raise SpecInvalid([FieldProblem("", 'a batch may have only "name" beside "jobs"')])
    try:
        named = _NAMED.validate_json(_dumped(whole))
    except ValidationError as error:
        raise SpecInvalid(problems_of(error, _NAMED)) from None
    _check_count(len(jobs), settings)
    return ParsedBatch(_parse_members(jobs, settings), named.name)


def _parse_members(members: Iterable[Any], settings: Settings) -> list[ParsedJob]:
    """Every member parsed, from JSON or from JSON values. Limits are checked before anything is computed."""
    jobs: list[ParsedJob] = []
    problems: list[tuple[int, FieldProblem]] = []
    wrong, budget = 0, BatchBudget(settings)
    for index, member in enumerate(members):
        if index >= settings.max_batch_jobs:
            _check_count(index + 1, settings)
        try:
            body = member if isinstance(member, bytes) else _dumped(member)
            budget.check_bytes(body)
            spec = read_spec(body, settings)
            budget.check_cost(spec)
            jobs.append(resolved(spec))
        except (BodyMalformed, SpecInvalid) as error:
            wrong += 1
            reasons = error.problems if isinstance(error, SpecInvalid) else [FieldProblem("", f"is not JSON: {error}")]
            problems += [(index, each) for each in reasons[: MOST_PROBLEMS - len(problems)]]
        except BudgetExceeded as error:
            raise SpecInvalid([FieldProblem("", str(error))]) from None
    if wrong:
        raise BatchInvalid(problems, wrong)
    if not jobs:
        raise SpecInvalid([FieldProblem("/jobs", "must have at least one job")])
    return jobs


def _check_count(count: int, settings: Settings) -> None:
    if count > settings.max_batch_jobs:
        raise SpecInvalid([FieldProblem("", f"{figure(count)} jobs; at most {settings.max_batch_jobs:,}")])
