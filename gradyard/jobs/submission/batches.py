"""From the bytes of a request to a batch that can be stored. Every member is checked before any is stored."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import SEEK_END
from itertools import chain
from typing import IO, Any

import orjson

from gradyard.jobs.errors import BodyMalformed, ContentMissing, FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.dependencies import Dependency
from gradyard.jobs.specs.files_of_project import Files, NoFiles
from gradyard.jobs.specs.paths import MOST_FIELDS
from gradyard.jobs.specs.sweeps import Sweep
from gradyard.jobs.submission.batch_budget import BatchBudget, BudgetExceeded
from gradyard.jobs.submission.faults import ListFaults, SweepFaults
from gradyard.jobs.submission.large import LARGE_BYTES, LARGE_JOBS, is_large_sweep
from gradyard.jobs.submission.other_seeds import OtherSeeds, without_its_seed
from gradyard.jobs.submission.parse import (
    ParsedJob,
    filled_up_sweep,
    read_spec,
    refusal_of_lost,
    resolved_with_others,
)
from gradyard.jobs.submission.requests.batch_bodies import dumped, named_in, sweep_in
from gradyard.jobs.submission.resolution.prospects import Descents
from gradyard.jobs.submission.shared_points import SharedPoints
from gradyard.jobs.validation.json_text import BYTE_ORDER_MARK, check_one, plain_json
from gradyard.jobs.validation.json_weight import Weight
from gradyard.jobs.validation.messages import figure
from gradyard.jobs.validation.pointers import pointer_of

FORMS = 'a batch is {"jobs": [...]}, or a sweep with "spec" and "grid"'
MOST_SWEEP_BYTES = 2**16  # a larger sweep is not stored with its batch


@dataclass(frozen=True)
class ParsedBatch:
    """A batch that may be stored: its jobs, its name, and the sweep that made it, if any.

    depends_on: what all of its jobs wait for, beside what each names itself. is_sweep: also where it is too large to
    store how it was made.
    """

    jobs: list[ParsedJob]
    name: str | None = None
    sweep: dict[str, Any] | None = None
    depends_on: tuple[Dependency, ...] = ()
    is_sweep: bool = False


def parse_batch(
    body: IO[bytes], settings: Settings, files: Files = NoFiles, *, lines: bool = False,
    before_large: Callable[[], object] = lambda: None,
) -> ParsedBatch:  # fmt: skip
    """Read a batch: `{"jobs": [...]}`, a sweep (`{"spec", "grid", "random", "samples"}`), or, with `lines`, NDJSON.

    `before_large` is called once before anything is built, where that may take 0.1 GB or more.

    Raises BodyMalformed where the body is not JSON, SpecInvalid where it has none of these forms, is too large, or is
    a sweep with a wrong value; BatchInvalid where members are wrong: it has their number, and the first hundred
    problems.
    """
    if is_large := _bytes_of(body) > LARGE_BYTES:
        before_large()
    if lines:
        return ParsedBatch(_parse_members(_lines_of(body), settings, files, ListFaults(), BatchBudget(settings)))
    whole, weight = _parsed(body.read())
    if "jobs" in whole:
        if not is_large and isinstance(whole["jobs"], list) and len(whole["jobs"]) > LARGE_JOBS:
            before_large()
        return _parse_list(whole, settings, files)
    if "spec" not in whole:
        is_job = "is a job, not a batch; send it to POST /v1/jobs" if "stage" in whole else FORMS
        raise SpecInvalid([FieldProblem("", is_job)])
    sweep = sweep_in(whole, weight)
    _check_size(sweep, settings)
    if not is_large and is_large_sweep(sweep):
        before_large()
    described: dict[str, Any] | None = sweep.model_dump(mode="json", exclude={"name", "depends_on"})
    if len(dumped(described)) > MOST_SWEEP_BYTES:
        described = None
    members = filled_up_sweep(sweep).members()
    jobs = _parse_members(members, settings, files, SweepFaults(sweep), BatchBudget(settings))
    return ParsedBatch(jobs, sweep.name, described, sweep.depends_on or (), is_sweep=True)


def is_batch(body: bytes) -> bool:
    """Whether the JSON has the fields of a batch or sweep, not of a job. Raises BodyMalformed where it is no JSON.

    What is too much for one job is not read to see it.
    """
    try:
        check_one(body)
        whole = orjson.loads(body)
    except SpecInvalid:
        return True
    except orjson.JSONDecodeError as error:
        raise BodyMalformed(str(error)) from None
    return isinstance(whole, dict) and bool({"jobs", "spec"} & whole.keys())


def _bytes_of(body: IO[bytes]) -> int:
    body.seek(0, SEEK_END)
    size = body.tell()
    body.seek(0)
    return size


def _parsed(body: bytes) -> tuple[dict[str, Any], Weight]:
    weight = Weight.of(body)
    if excess := weight.excess:
        raise SpecInvalid([FieldProblem("", f"has {excess}")])
    try:
        whole = orjson.loads(plain_json(body, of_many=True))
    except orjson.JSONDecodeError as error:
        raise BodyMalformed(str(error)) from None
    if not isinstance(whole, dict):
        raise SpecInvalid([FieldProblem("", FORMS)])
    return whole, weight


def _parse_list(whole: dict[str, Any], settings: Settings, files: Files) -> ParsedBatch:
    jobs = whole.pop("jobs")
    if not isinstance(jobs, list):
        raise SpecInvalid([FieldProblem("/jobs", "must be a list of jobs")])
    if len(whole) > MOST_FIELDS:
        raise SpecInvalid([FieldProblem("", 'a batch may have only "name" and "depends_on" beside "jobs"')])
    named = named_in(whole)
    _check_count(len(jobs), settings, "/jobs")
    parsed = _parse_members(jobs, settings, files, ListFaults(), BatchBudget(settings, is_weighed=True))
    return ParsedBatch(parsed, named.name, depends_on=named.depends_on or ())


def _lines_of(body: IO[bytes]) -> Iterator[bytes]:
    first = body.readline().removeprefix(BYTE_ORDER_MARK)
    return (line for line in chain((first,), body) if line.strip())


def _parse_members(
    members: Iterable[Any], settings: Settings, files: Files, faults: ListFaults | SweepFaults, budget: BatchBudget
) -> list[ParsedJob]:  # fmt: skip
    """Every member parsed, from JSON or from JSON values. Limits are checked before anything is computed."""
    jobs: list[ParsedJob] = []
    points, descents, seeds = SharedPoints(), Descents(), OtherSeeds()
    for index, member in enumerate(members):
        if faults.enough:
            break
        if index >= settings.max_batch_jobs:
            _check_count(index + 1, settings)
        if not faults.need(index):
            continue
        try:
            jobs.append(points.shared(_parse_member(member, settings, files, budget, descents, seeds)))
        except BodyMalformed as error:
            faults.add(index, [FieldProblem("", f"is not JSON: {error}")])
        except SpecInvalid as error:
            faults.add(index, error.problems)
        except ContentMissing as error:
            faults.add(index, refusal_of_lost(error).problems)
        except BudgetExceeded as error:
            raise SpecInvalid([FieldProblem("", str(error))]) from None
    faults.raise_any()
    if not jobs:
        raise SpecInvalid([FieldProblem("/jobs", "must have at least one job")])
    descents.warn()
    return jobs


def _parse_member(
    member: Any, settings: Settings, files: Files, budget: BatchBudget, descents: Descents, seeds: OtherSeeds
) -> ParsedJob:  # fmt: skip
    body, rest = without_its_seed(member)
    budget.check_bytes(body)
    if (other := seeds.of(rest)) is not None:
        alike = other.spec_of(member)
        budget.check_cost(alike, is_computed=other.resolution is not None)
        return other.job_of(alike, descents)
    spec = read_spec(plain_json(body) if body is member else body, settings, files)
    budget.check_cost(spec)
    job = resolved_with_others(spec, descents)
    seeds.accept(rest, job)
    return job


def _check_size(sweep: Sweep, settings: Settings) -> None:
    """Refuse a sweep of too many jobs, before any is made. SpecInvalid points at the axis that alone has too many."""
    for path, size in zip(sweep.grid, sweep.axis_sizes, strict=True):
        _check_count(size, settings, pointer_of(("grid", path)))
    _check_count(sweep.samples, settings, "/samples")
    _check_count(sweep.size, settings)


def _check_count(count: int, settings: Settings, pointer: str = "") -> None:
    if count > settings.max_batch_jobs:
        raise SpecInvalid([FieldProblem(pointer, f"{figure(count)} jobs; at most {settings.max_batch_jobs:,}")])
