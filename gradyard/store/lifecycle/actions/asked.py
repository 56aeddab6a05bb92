"""All jobs of a question, for an action on them: which of these jobs it still concerns, and how many it has done."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from gradyard.jobs.questions import terms
from gradyard.jobs.questions.terms import Among, Not, Term
from gradyard.store.queries.questions.conditions import condition
from gradyard.store.tables import Job, JobEvent, JobSummary

CHANGED, OF_OTHERS = "changed", "of_others"
"""Why a job is left alone: it satisfies the question no longer, or another submitted it."""


@dataclass(frozen=True)
class AskedJobs:
    """The jobs of a project that satisfy a question and are older than `before`, and who acts on them.

    submitter: of these jobs only those of this one; None: of all.
    """

    project_id: int
    question: Term
    before: UUID
    actor: str
    submitter: str | None = None

    def of_summaries(self) -> list[ColumnElement[bool]]:
        """The conditions of their rows in `summaries`, with those of other submitters."""
        return [JobSummary.project_id + 0 == self.project_id, condition(self.question)]

    def is_mine(self) -> list[ColumnElement[bool]]:
        """The condition that rows of `jobs` are of its submitter."""
        if self.submitter is None:
            return []
        first = select(JobEvent.job_id).where(JobEvent.job_id == Job.id, JobEvent.sequence == 1)
        return [first.where(JobEvent.actor == self.submitter).exists()]


@dataclass(frozen=True)
class Tally:
    """To how many jobs an action was done, and how many it left alone, by reason."""

    done: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.done + other.done, self.skipped + other.skipped)


def still_asked(
    connection: Connection, asked: AskedJobs, job_ids: Sequence[UUID], *, wait: bool = True
) -> tuple[list[UUID], Counter[str]]:  # fmt: skip
    """Lock these jobs. Returns those that the action may change, in the order of ids, and how many others, by reason.

    Each is looked at again: what was found in a transaction before may have changed. wait: for rows that are locked,
    in the order in which a record of a pack locks them; else they are left out.
    """
    locked = select(Job.id).where(Job.id.in_(job_ids)).order_by(Job.id).with_for_update(skip_locked=not wait)
    ids = list(connection.execute(locked).scalars())
    of_these = replace(asked, question=narrowed_to(asked.question, frozenset(ids)))
    wanted = JobSummary.job_id.in_(ids), *of_these.of_summaries()
    found = set(connection.execute(select(JobSummary.job_id).where(*wanted)).scalars())
    mine = found
    if asked.submitter is not None:
        mine = set(connection.execute(select(Job.id).where(Job.id.in_(found), *asked.is_mine())).scalars())
    skipped = {CHANGED: len(job_ids) - len(found), OF_OTHERS: len(found) - len(mine)}
    return [job_id for job_id in ids if job_id in mine], Counter({why: n for why, n in skipped.items() if n})


def narrowed_to(question: Term, job_ids: frozenset[UUID]) -> Term:
    """The question as it is of these jobs: ids of others, thousands where curves were read, are not sent each time."""
    match question:
        case Among(those):
            return Among(those & job_ids)
        case Not(inner):
            return Not(narrowed_to(inner, job_ids))
        case terms.All(parts):
            return terms.All(tuple(narrowed_to(each, job_ids) for each in parts))
        case terms.Any(parts):
            return terms.Any(tuple(narrowed_to(each, job_ids) for each in parts))
        case _:
            return question
