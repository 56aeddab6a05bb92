"""Members of a batch that differ in their seeds alone are read and checked once: little else depends on a seed.

Most large batches are of this kind: a sweep starts each of its points from many seeds.
"""

import hashlib
from functools import cached_property
from typing import Any
from uuid import uuid4

from gradyard.jobs.specs.base import LARGEST_SEED, hashed_part
from gradyard.jobs.specs.builtin import CoefficientsSpec
from gradyard.jobs.stages.builtin import BUILT_IN
from gradyard.jobs.submission.parameters import ParametersOfJob
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.jobs.submission.requests.batch_bodies import dumped
from gradyard.jobs.submission.resolution.prospects import Descents
from gradyard.jobs.submission.resolution.resolve import Resolution, resolution_of, warnings_of

MOST_KEPT = 64  # points of a sweep, whose seeds may change fastest or slowest
MOST_KEPT_BYTES = 2**20
_set = object.__setattr__  # its own refuses: it is frozen
_BUILT_IN = {stage.name for stage in BUILT_IN}  # the spec of a plug-in may check its seed beside its other parameters


class OtherSeed:
    """A job that was accepted, as a pattern of those that differ from it in their seeds alone."""

    def __init__(self, job: ParsedJob, spec: CoefficientsSpec) -> None:
        self._job, self._spec = job, spec

    @cached_property
    def resolution(self) -> Resolution | None:
        """That of every seed; None where the data are drawn from the seed."""
        return None if self._spec.has_noise else resolution_of(self._spec)

    def spec_of(self, member: dict[str, Any]) -> CoefficientsSpec:
        """The spec of such a member of the batch."""
        return _with_seed(self._spec, member.get("seed", 0), self._fields_set)

    @cached_property
    def _fields_set(self) -> set[str]:
        return self._spec.model_fields_set | {"seed"}

    def job_of(self, spec: CoefficientsSpec, descents: Descents) -> ParsedJob:
        """The job with that spec. Its `warnings` are complete after `descents.warn()`.

        Raises SpecInvalid where its noise makes the data overflow.
        """
        job, resolution = self._job, self.resolution or resolution_of(spec)
        warnings = warnings_of(spec, resolution, descents)
        as_json, sha256, numbers = {**job.as_json, "seed": spec.seed}, self._sha256_with(spec.seed), resolution.numbers
        as_found = job.parameters.with_seed(spec.seed) if self.resolution else ParametersOfJob.of(as_json, numbers)
        return ParsedJob(spec, as_json, sha256, job.pack_key, numbers, warnings, as_found, job)

    def _sha256_with(self, seed: int) -> str:
        begun, rest = self._around_seed
        whole = begun.copy()
        whole.update(b"%d%b" % (seed, rest))
        return whole.hexdigest()

    @cached_property
    def _around_seed(self) -> tuple[Any, bytes]:
        """The begun hash of what `sha256_of` hashes before the seed, and what comes after it."""
        mark = uuid4().hex
        before, after = hashed_part({**self._job.as_json, "seed": mark}).split(b'"%b"' % mark.encode())
        return hashlib.sha256(before), after


class OtherSeeds:
    """Jobs of one request that were accepted, by all but their seeds."""

    def __init__(self) -> None:
        self._accepted: dict[bytes, OtherSeed] = {}
        self._bytes = 0

    def of(self, rest: bytes | None) -> OtherSeed | None:
        """A job that was accepted with that rest, whatever its seed."""
        return self._accepted.get(rest) if rest is not None else None

    def accept(self, rest: bytes | None, job: ParsedJob) -> None:
        """Keep the job for members with that rest, unless as many are kept as may be."""
        if rest is None or job.spec.stage not in _BUILT_IN or not isinstance(job.spec, CoefficientsSpec):
            return
        if len(self._accepted) < MOST_KEPT and self._bytes + len(rest) <= MOST_KEPT_BYTES:
            self._accepted[rest] = OtherSeed(job, job.spec)
            self._bytes += len(rest)


def _with_seed(spec: CoefficientsSpec, seed: int, fields_set: set[str]) -> CoefficientsSpec:
    """The spec with another seed, a valid one. pydantic's `model_copy` takes five times as long.

    fields_set: the names of its fields that were given.
    """
    other, values = object.__new__(type(spec)), spec.__dict__.copy()
    values["seed"] = seed
    _set(other, "__dict__", values)
    _set(other, "__pydantic_fields_set__", fields_set)
    _set(other, "__pydantic_extra__", None)  # as no built-in stage's spec has any
    _set(other, "__pydantic_private__", None)
    return other


def without_its_seed(member: Any) -> tuple[bytes, bytes | None]:
    """A member of a batch as JSON, and the same without its seed; None where its seed needs a look of its own.

    A member that is JSON is left as it is. Raises BodyMalformed where it is nested too deeply.
    """
    if not isinstance(member, dict):
        return member if isinstance(member, bytes) else dumped(member), None
    rest = dict(member)
    seed = rest.pop("seed", 0)
    if type(seed) is not int or not 0 <= seed <= LARGEST_SEED or not rest:
        return dumped(member), None
    body = dumped(rest)
    return b'%b,"seed":%d}' % (body[:-1], seed) if "seed" in member else body, body
