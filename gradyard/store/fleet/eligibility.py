"""Which worker may claim which job. Each rule is here in SQL, for claims, and in Python, for explanations.

A claim asks SQL for the jobs that one worker may take. The reason why a job waits is found in Python: of the live
workers it keeps those that may take the job, and names the first rule that leaves none. A test compares both over
random rows and workers.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal, or_

from gradyard.jobs.fleet import Queue
from gradyard.store.fleet.workers import Capabilities
from gradyard.store.tables import Job


@dataclass(frozen=True)
class Rule:
    """One condition on a job and the capabilities of a worker.

    sql: a condition on rows of `jobs`, for the worker. allows: the same condition, of a row of `jobs` and the worker.
    why_none: the reason to give where no worker meets it, of a row of `jobs` and "cpu ", "gpu " or "" (any).
    """

    sql: Callable[[Capabilities], ColumnElement[bool]]
    allows: Callable[[Any, Capabilities], bool]
    why_none: Callable[[Any, str], str]


# Each value is a parameter of its own. SQLAlchemy builds the text of a plain list again at each execution: half of the
# time of such a query.
def _is_one_of(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    return column.in_([literal(value) for value in values])


def _has_one_of(stages: Iterable[tuple[str, int]]) -> ColumnElement[bool]:
    versions = (and_(Job.stage == stage, Job.numerics_version == version) for stage, version in stages)
    return or_(false(), *versions)


RULES = (
    Rule(  # its queue
        lambda worker: _is_one_of(Job.queue, (worker.queue, Queue.ANY.value)),
        lambda job, worker: job.queue in (worker.queue, Queue.ANY),
        lambda job, kind: f"no {kind}worker is alive",
    ),
    Rule(  # its pool, where it names one
        lambda worker: or_(Job.pool.is_(None), Job.pool == worker.pool),
        lambda job, worker: job.pool is None or job.pool == worker.pool,
        lambda job, kind: f"no {kind}worker of pool {job.pool} is alive",
    ),
    Rule(  # its stage, in the arithmetic that it was submitted for
        lambda worker: _has_one_of(worker.stages),
        lambda job, worker: (job.stage, job.numerics_version) in worker.stages,
        lambda job, kind: f"no {kind}worker has stage {job.stage} {job.numerics_version}",
    ),
    Rule(  # the engine that it was begun with
        lambda worker: or_(Job.engine.is_(None), _is_one_of(Job.engine, worker.engines)),
        lambda job, worker: job.engine is None or job.engine in worker.engines,
        lambda job, kind: f"it was begun with the engine {job.engine}, and no {kind}worker that is alive has it",
    ),
    Rule(  # the GPU memory that it asks for
        lambda worker: or_(Job.gpu_memory_mib.is_(None), Job.gpu_memory_mib <= worker.memory_mib),
        lambda job, worker: job.gpu_memory_mib is None or job.gpu_memory_mib <= worker.memory_mib,
        lambda job, kind: f"no live {kind}worker has {job.gpu_memory_mib:,} MiB of GPU memory",
    ),
)


def claimable_by(worker: Capabilities) -> list[ColumnElement[bool]]:
    """The conditions on rows of `jobs` that this worker may claim."""
    return [rule.sql(worker) for rule in RULES]


def able_workers(job: Any, workers: Sequence[Any]) -> tuple[list[Any], str]:
    """The workers (rows of `workers`) that may claim the job (a row of `jobs`); where there is none, the reason."""
    able = [(row, capabilities_of(row)) for row in workers]
    kind = "" if job.queue == Queue.ANY else f"{job.queue} "
    for rule in RULES:
        able = [(row, worker) for row, worker in able if rule.allows(job, worker)]
        if not able:
            return [], rule.why_none(job, kind)
    return [row for row, _ in able], ""


def allowed_but_for_queue(job: Any, worker: Capabilities) -> bool:
    """Whether the worker may take the job (a row of `jobs`), were it of the worker's queue."""
    return all(rule.allows(job, worker) for rule in RULES[1:])


def capabilities_of(row: Any) -> Capabilities:
    """What the worker of a row of `workers` may claim. A worker of an older version has the eager engine alone."""
    engines = tuple(row.engines or ["eager"])
    return Capabilities(row.queue, tuple(row.stages.items()), row.pool, row.device_memory_mib or 0, engines)
