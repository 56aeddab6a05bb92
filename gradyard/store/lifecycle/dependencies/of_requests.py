"""What the jobs of a request wait for. Each refusal points to where the request names it."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection

from gradyard.jobs.errors import BatchInvalid, FieldProblem, SpecInvalid
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.jobs.validation.messages import MOST_PROBLEMS
from gradyard.store.lifecycle.dependencies.again import inherited
from gradyard.store.lifecycle.dependencies.asked import NOTHING, Asked, Asks, look_up
from gradyard.store.lifecycle.dependencies.begin import Waits


def of_job(connection: Connection, project_id: int, parsed: ParsedJob, retry_of: UUID | None) -> Asked:
    """What a single job waits for; a retry that does not say, for what the old job waited for.

    Raises SpecInvalid for a dependency that is not there or has ended otherwise than asked, IllegalMove where that is
    so of an inherited one.
    """
    depends_on = parsed.spec.depends_on
    if depends_on is None:
        return inherited(connection, [retry_of], {}).get(retry_of, NOTHING) if retry_of is not None else NOTHING
    return _looked_up(connection, project_id, depends_on, "/set" if retry_of is not None else "")


def _looked_up(connection: Connection, project_id: int, depends_on: Asks, prefix: str) -> Asked:
    asked, problems = look_up(connection, project_id, [depends_on])
    if problems:
        raise SpecInvalid([FieldProblem(prefix + problem.pointer, problem.message) for _, problem in problems])
    return asked[0]


def of_members(connection: Connection, project_id: int, parsed: ParsedBatch) -> list[Asked]:
    """What each job of a new batch waits for: what the batch names, and what the job names itself.

    Raises SpecInvalid where what the batch names, or a sweep, is wrong; BatchInvalid for jobs of a list.
    """
    _, wrong = look_up(connection, project_id, [parsed.depends_on])
    if wrong:
        raise SpecInvalid([problem for _, problem in wrong])
    own = [job.spec.depends_on or () for job in parsed.jobs]
    _, wrong = look_up(connection, project_id, own)
    if wrong and parsed.is_sweep:
        problems = dict.fromkeys(FieldProblem(f"/spec{each.pointer}", each.message) for _, each in wrong)
        raise SpecInvalid(list(problems)[:MOST_PROBLEMS])
    if wrong:
        raise BatchInvalid(wrong[:MOST_PROBLEMS], len({number for number, _ in wrong}))
    return look_up(connection, project_id, [(*parsed.depends_on, *each) for each in own])[0]


def of_retries(connection: Connection, new: Mapping[UUID, UUID], *, in_batch: bool) -> dict[UUID, Asked]:
    """What the retries of these jobs wait for, by the new ids. new: the new ids by the old ones.

    Raises IllegalMove where a dependency did not end as asked, and was not submitted anew.
    """
    asked = inherited(connection, new, new, in_batch=in_batch)
    return {new[old]: each for old, each in asked.items()}


def of_question(
    connection: Connection, project_id: int, parsed: Mapping[UUID, ParsedJob], new: Mapping[UUID, UUID]
) -> dict[UUID, Asked]:
    """What the retries of the jobs of a question wait for, by the new ids: what its `set` names, or as the old jobs.

    new: the new ids by the old ones. Raises SpecInvalid where `set` names what is not there or ended otherwise,
    IllegalMove where that is so of an inherited one.
    """
    named = next(iter(parsed.values())).spec.depends_on  # stored specs have none, so one is that of `set`, for all
    if named is None:
        return of_retries(connection, new, in_batch=False)
    asked = _looked_up(connection, project_id, named, "/set")
    return dict.fromkeys(new.values(), asked)


def refuse_named_in(parsed: Mapping[UUID, ParsedJob]) -> None:
    """Raise SpecInvalid where the retry of a batch names dependencies: they could lead in a circle."""
    if any(job.spec.depends_on is not None for job in parsed.values()):
        message = "a retry in its batch waits for what the old job waited for; leave this out, or retry the job alone"
        raise SpecInvalid([FieldProblem("/set/depends_on", message)])


def follow_all(connection: Connection, waits: Waits) -> None:
    """Mark what new jobs wait for. Raises SpecInvalid where one of those was deleted meanwhile."""
    if gone := waits.follow(connection):
        raise SpecInvalid([FieldProblem("/depends_on", f"{gone[0]} was deleted meanwhile")])
