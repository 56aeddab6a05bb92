"""Questions about curves, answered at once: for counts and actions, which need all answers at once."""

from uuid import UUID

from sqlalchemy import Connection, func, select

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.questions.terms import Among, Term
from gradyard.store.queries.questions.curves import asks_for_curves, pruned, satisfying
from gradyard.store.queries.questions.live_metrics import with_live_metrics
from gradyard.store.queries.questions.pages import ids_asked
from gradyard.store.tables import JobSummary
from gradyard.store.these import these

MOST_CURVES, MOST_LOSSES = 20_000, 100_000_000


def without_curves(connection: Connection, project_id: int, term: Term, batch: UUID | None = None) -> Term:
    """The same question where it needs no curve; else the jobs that satisfy it, of a batch if one is given.

    Raises SpecInvalid where the curves of over MOST_CURVES jobs, or over MOST_LOSSES losses, would have to be read.
    """
    if not asks_for_curves(term):
        return term
    term = with_live_metrics(connection, project_id, batch, term)
    found, before, asked = list[UUID](), None, pruned(term)
    while True:
        page = ids_asked(connection, project_id, asked, limit=MOST_CURVES, before=before, batch=batch)
        found += page.ids
        if len(found) > MOST_CURVES:
            raise _refusal(f"{MOST_CURVES:,} curves")
        if (before := page.looked_to) is None:
            break
    mine = JobSummary.job_id.in_(these(connection, found))
    if (connection.execute(select(func.sum(JobSummary.steps_done)).where(mine)).scalar() or 0) > MOST_LOSSES:
        raise _refusal(f"{MOST_LOSSES:,} losses")
    return Among(frozenset(satisfying(connection, project_id, term, found)))


def _refusal(most: str) -> SpecInvalid:
    message = f"first_below would read over {most} here; name a batch, or narrow the question"
    return SpecInvalid([FieldProblem("/where", message)])
