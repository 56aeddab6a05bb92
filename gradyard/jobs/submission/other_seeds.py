"""Members of a batch that differ in their seeds alone are read and checked once: nothing else depends on a seed.

Most large batches are of this kind: a sweep starts each of its points from many seeds.
"""

from typing import Any

from gradyard.jobs.specs.base import LARGEST_SEED, JobSpec
from gradyard.jobs.stages.builtin import BUILT_IN
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.jobs.submission.requests.batch_bodies import dumped

MOST_KEPT = 64  # points of a sweep, whose seeds may change fastest or slowest
MOST_KEPT_BYTES = 2**20
_BUILT_IN = {stage.name for stage in BUILT_IN}  # the spec of a plug-in may check its seed beside its other parameters


class OtherSeeds:
    """Jobs of one request that were accepted, by all but their seeds."""

    def __init__(self) -> None:
        self._accepted: dict[bytes, ParsedJob] = {}
        self._bytes = 0

    def of(self, rest: bytes | None) -> ParsedJob | None:
        """A job that was accepted with that rest, whatever its seed."""
        return self._accepted.get(rest) if rest is not None else None

    def accept(self, rest: bytes | None, job: ParsedJob) -> None:
        """Keep the job for members with that rest, unless as many are kept as may be."""
        if rest is None or rest in self._accepted or job.spec.stage not in _BUILT_IN:
            return
        if len(self._accepted) < MOST_KEPT and self._bytes + len(rest) <= MOST_KEPT_BYTES:
            self._accepted[rest] = job
            self._bytes += len(rest)


def without_its_seed(member: Any) -> bytes | None:
    """A member of a batch, as JSON, without its seed; None where its seed needs a look of its own."""
    if not isinstance(member, dict):
        return None
    rest = dict(member)
    seed = rest.pop("seed", 0)
    return dumped(rest) if type(seed) is int and 0 <= seed <= LARGEST_SEED else None


def with_its_seed(spec: JobSpec, member: dict[str, Any]) -> JobSpec:
    """The spec of a member that differs from that one in its seed alone."""
    return spec.model_copy(update={"seed": member.get("seed", 0)})
