"""Questions about whole curves: `first_below(9)`, the first step whose loss is below 9, read from the losses.

No index knows it for every loss. But only a job whose lowest loss is below 9 has such a step, so the database finds
those first, and their curves are read some at a time.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, bindparam, select

from gradyard.jobs.questions import terms
from gradyard.jobs.questions.terms import Among, Column, Comparison, Kind, Missing, Not, OneOf, Source, Term
from gradyard.store.queries.questions.conditions import OPERATORS, condition
from gradyard.store.tables import Job, JobSummary, LossChunk
from gradyard.store.these import these

AT_ONCE = 500  # jobs
MOST_LOSSES = 2_000_000
"""In memory at once, but for a longer curve."""


def asks_for_curves(term: Term) -> bool:
    """Whether the question can only be answered by reading curves."""
    match term:
        case terms.All(parts) | terms.Any(parts):
            return any(map(asks_for_curves, parts))
        case Not(inner):
            return asks_for_curves(inner)
        case Comparison(column) | OneOf(column) | Missing(column):
            return column.source is Source.CURVE
    return False


def pruned(term: Term) -> Term:
    """A question that is true of every job of which `term` is, and needs no curve."""
    return _bound(term, upper=True)


def _bound(term: Term, *, upper: bool) -> Term:
    """A question that is true wherever `term` is (upper), or nowhere else."""
    match term:
        case terms.All(parts) | terms.Any(parts):
            return replace(term, terms=tuple(_bound(part, upper=upper) for part in parts))
        case Not(inner):
            return Not(_bound(inner, upper=not upper))
        case Missing(column) if column.source is Source.CURVE:
            return Not(_reaches(column))
        case Comparison(column) | OneOf(column) if column.source is Source.CURVE:
            return _reaches(column) if upper else terms.Any(())
    return term


def _reaches(column: Column) -> Comparison:
    return Comparison(Column(Source.FIELD, "loss_min", Kind.NUMBER), "<", column.below)


def satisfying(connection: Connection, project_id: int, term: Term, job_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the jobs that satisfy the question."""
    found, losses = set[UUID](), _losses_named(term)
    at_once = AT_ONCE if losses else max(1, len(job_ids))
    for start in range(0, len(job_ids), at_once):
        some = job_ids[start : start + at_once]
        steps = first_steps_below(connection, project_id, some, losses)
        mine = JobSummary.project_id + 0 == project_id, JobSummary.job_id.in_(these(connection, some))
        known = condition(_with_curves_read(term, steps))
        found.update(connection.execute(select(JobSummary.job_id).where(*mine, known)).scalars())
    return found


def _losses_named(term: Term) -> set[float]:
    """The losses below which steps are asked for, but for those that need no curve."""
    match term:
        case terms.All(parts) | terms.Any(parts):
            return set().union(*map(_losses_named, parts))
        case Not(inner):
            return _losses_named(inner)
        case Comparison(column) | OneOf(column) if column.source is Source.CURVE:
            return {column.below}
    return set()


Steps = dict[float, dict[UUID, int]]
"""The first step of each job whose loss is below this one; jobs without such a step are left out."""


def _with_curves_read(term: Term, steps: Steps) -> Term:
    """The question, for jobs of which these steps are known, without what needs their curves."""
    match term:
        case terms.All(parts) | terms.Any(parts):
            return replace(term, terms=tuple(_with_curves_read(part, steps) for part in parts))
        case Not(inner):
            return Not(_with_curves_read(inner, steps))
        case Missing(column) if column.source is Source.CURVE:
            return Not(_reaches(column))
        case Comparison(column, symbol, float(value)) if column.source is Source.CURVE:
            found = steps[column.below].items()
            return Among(frozenset(job_id for job_id, step in found if OPERATORS[symbol](step, value)))
        case OneOf(column, values) if column.source is Source.CURVE:
            return Among(frozenset(job_id for job_id, step in steps[column.below].items() if step in values))
    return term


def first_steps_below(
    connection: Connection, project_id: int, job_ids: Sequence[UUID], losses: Collection[float]
) -> Steps:  # fmt: skip
    """The first step of each job whose loss is below each of these losses. The curves are read once."""
    found: Steps = {loss: {} for loss in losses}
    if not losses:
        return found
    for some in slices(connection, job_ids):
        for chunk in connection.execute(_chunks, {"of_jobs": some, "project": project_id}):
            curve = np.frombuffer(chunk.losses, dtype=np.dtype(chunk.dtype).newbyteorder("<"))
            for loss, steps in found.items():
                below = curve < np.float64(loss)  # in float64, whatever the curve's dtype
                if chunk.job_id not in steps and below.any():
                    steps[chunk.job_id] = int(chunk.start_step + below.argmax())
    return found


def slices(connection: Connection, job_ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    """The jobs, in the same order, in parts of few enough jobs and losses each."""
    for start in range(0, len(job_ids), AT_ONCE):
        ids = job_ids[start : start + AT_ONCE]
        steps = {row.id: row.steps_done for row in connection.execute(_steps, {"of_jobs": ids})}
        some, losses = list[UUID](), 0
        for job_id in ids:
            if some and losses + steps.get(job_id, 0) > MOST_LOSSES:
                yield some
                some, losses = [], 0
            some.append(job_id)
            losses += steps.get(job_id, 0)
        yield some


# Built once: building such statements costs more than executing them.
_these: Any = bindparam("of_jobs", expanding=True)
_steps = select(Job.id, Job.steps_done).where(Job.id.in_(_these))
_chunks = (
    select(LossChunk.job_id, LossChunk.start_step, LossChunk.losses, Job.dtype)
    .join(Job, Job.id == LossChunk.job_id)
    .where(LossChunk.job_id.in_(_these), LossChunk.project_id == bindparam("project"))
    .order_by(LossChunk.job_id, LossChunk.start_step)
)  # fmt: skip
