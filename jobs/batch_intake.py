"""From the bytes of a request to a batch that can be stored: every member is checked before anything is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

import orjson
from pydantic import Field, ValidationError

from jobs.datasets import Part
from jobs.errors import BatchInvalid, BodyMalformed, FieldProblem, SpecInvalid
from jobs.intake import Intake, problems_of, take_in
from jobs.settings import Settings
from jobs.spec import Text
from jobs.sweeps import Sweep

PROBLEMS_KEPT = 100


@dataclass(frozen=True)
class BatchIntake:
    """A batch that may be stored: its jobs, what it is called, and the sweep that it came from, if any."""

    jobs: list[Intake]
    name: str | None = None
    sweep: dict[str, Any] | None = None


class _Named(Part):
    name: Text | None = Field(default=None, max_length=200)


class SweepBody(Sweep, _Named):
    """A sweep that is called something."""


def take_in_batch(body: IO[bytes], settings: Settings, *, lines: bool = False) -> BatchIntake:
    """Read a batch: `{"jobs": [...]}`, a sweep (`{"spec", "grid", "random", "count"}`), or, with `lines`, NDJSON.

    Raises BodyMalformed where it is no JSON, SpecInvalid where it is neither of those forms or too much, BatchInvalid
    where members are wrong: it tells how many, and of the first hundred what.
    """
    if lines:
        return BatchIntake(_all_of((line for line in body if line.strip()), settings))
    whole = _parsed(body.read())
    if "jobs" in whole:
        return _listed(whole, settings)
    try:
        sweep = SweepBody.model_validate_json(orjson.dumps(whole))
    except ValidationError as error:
        raise SpecInvalid(problems_of(error)) from None
    _check_count(len(sweep), settings)
    described = sweep.model_dump(mode="json", exclude={"name"})
    return BatchIntake(_all_of(map(orjson.dumps, sweep.members()), settings), sweep.name, described)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyMalformed(str(error)) from None
    if not isinstance(whole, dict):
        raise SpecInvalid([FieldProblem("", 'a batch is {"jobs": [...]}, or a sweep with "spec" and "grid"')])
    return whole


def _listed(whole: dict[str, Any], settings: Settings) -> BatchIntake:
    jobs = whole.pop("jobs")
    if not isinstance(jobs, list):
        raise SpecInvalid([FieldProblem("/jobs", "must be a list of jobs")])
    try:
        named = _Named.model_validate_json(orjson.dumps(whole))
    except ValidationError as error:
        raise SpecInvalid(problems_of(error)) from None
    _check_count(len(jobs), settings)
    return BatchIntake(_all_of(map(orjson.dumps, jobs), settings), named.name)


def _all_of(bodies: Iterable[bytes], settings: Settings) -> list[Intake]:
    jobs: list[Intake] = []
    problems: list[tuple[int, FieldProblem]] = []
    wrong = point_steps = 0
    for index, body in enumerate(bodies):
        if index >= settings.max_batch_jobs:
            _check_count(index + 1, settings)
        try:
            jobs.append(take_in(body, settings))
            point_steps += jobs[-1].spec.steps * jobs[-1].spec.dataset.points
        except (BodyMalformed, SpecInvalid) as error:
            wrong += 1
            found = error.problems if isinstance(error, SpecInvalid) else [FieldProblem("", f"is no JSON: {error}")]
            problems += [(index, each) for each in found[: PROBLEMS_KEPT - len(problems)]]
    if wrong:
        raise BatchInvalid(problems, wrong)
    if not jobs:
        raise SpecInvalid([FieldProblem("/jobs", "there is no job in it")])
    if point_steps > settings.max_point_steps:
        raise SpecInvalid([FieldProblem("", f"{point_steps:,} point-steps; at most {settings.max_point_steps:,}")])
    return jobs


def _check_count(count: int, settings: Settings) -> None:
    if count > settings.max_batch_jobs:
        raise SpecInvalid([FieldProblem("", f"{count:,} jobs; at most {settings.max_batch_jobs:,}")])
