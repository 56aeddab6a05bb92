"""The jobs and batches that a request names as dependencies, looked up as they are now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from gradyard.jobs.errors import FieldProblem
from gradyard.jobs.identifiers import ids_beginning_with
from gradyard.jobs.specs.dependencies import Dependency, Kind
from gradyard.store.queries import beginnings
from gradyard.store.queries.dependencies.targets import Target, targets

MOST_CANDIDATES = 10  # ids that begin alike, as the refusal tells them
MOST_BEGINNINGS = 1000  # of one request: each is a query of its own
MOST_LOOKED_UP = 100  # ids that are not there, of which it is asked whether they were deleted

Asks = Sequence[Dependency]


@dataclass(frozen=True)
class Edge:
    """One job or batch that a job waits for, and how it must end."""

    kind: Kind
    on_id: UUID
    condition: str


@dataclass(frozen=True)
class Asked:
    """What a job waits for; `waits`: not all of it has ended yet."""

    edges: tuple[Edge, ...] = ()
    waits: bool = False


NOTHING = Asked()


def look_up(
    connection: Connection, project_id: int, members: Sequence[Asks]
) -> tuple[list[Asked], list[tuple[int, FieldProblem]]]:
    """What each of these jobs waits for, and what is wrong: the number of the job, and where in its list.

    A dependency that has ended otherwise than asked is wrong: the job could never start.
    """
    if not any(members):  # most jobs wait for nothing
        return [NOTHING] * len(members), []
    found = _found(connection, project_id, {each.id for member in set(members) for each in member})
    known: dict[Asks, tuple[Asked, list[FieldProblem]]] = {(): (NOTHING, [])}
    asked, problems = list[Asked](), list[tuple[int, FieldProblem]]()
    for number, member in enumerate(members):
        if member not in known:
            known[member] = _decided(member, found)
        asked.append(known[member][0])
        problems += [(number, problem) for problem in known[member][1]]
    return asked, problems


def _decided(member: Asks, found: Mapping[str, Target | str]) -> tuple[Asked, list[FieldProblem]]:
    edges, waits, problems = list[Edge](), False, list[FieldProblem]()
    for place, each in enumerate(member):
        target = found[each.id]
        if isinstance(target, str):
            problems.append(FieldProblem(f"/depends_on/{place}", target))
            continue
        met = target.met(each.condition)
        if met is False:
            words = f'{target.bad}, so this job could never start; name its retry, or ask for {{"condition": "ended"}}'
            problems.append(FieldProblem(f"/depends_on/{place}", words))
        waits |= met is None
        edges.append(Edge(target.kind, target.id, each.condition))
    return Asked(tuple(edges), waits), problems


def _found(connection: Connection, project_id: int, texts: set[str]) -> dict[str, Target | str]:
    """For each text the one job or batch of the project with that id, or that beginning of it; else what is wrong."""
    ranges = {text: ids_beginning_with(text) or (UUID(int=0), UUID(int=0)) for text in texts}
    named = {text: low for text, (low, high) in ranges.items() if low == high}
    short = sorted(texts - named.keys())
    wrong: dict[str, Target | str] = {}
    for text in short[:MOST_BEGINNINGS]:
        completed = _complete(connection, project_id, text, ranges[text])
        if isinstance(completed, str):
            wrong[text] = completed
        else:
            named[text] = completed
    wrong |= dict.fromkeys(short[MOST_BEGINNINGS:], f"over {MOST_BEGINNINGS:,} shortened ids; write them in full")
    there = targets(connection, named.values(), project_id)
    missing = [text for text in named if named[text] not in there]
    wrong |= _missing(connection, project_id, missing, ranges)
    return wrong | {text: there[each] for text, each in named.items() if each in there}


def _complete(connection: Connection, project_id: int, text: str, ids: tuple[UUID, UUID]) -> UUID | str:
    jobs = beginnings.jobs_between(connection, project_id, *ids, MOST_CANDIDATES)
    both = [row.id for row in (*jobs, *beginnings.batches_between(connection, project_id, *ids, MOST_CANDIDATES))]
    if len(both) > 1:
        such = ", ".join(str(each) for each in both[:MOST_CANDIDATES])
        return f"the ids of several jobs or batches begin with {text}, such as {such}; write more digits"
    return both[0] if both else _why_missing(connection, project_id, text, ids)


def _missing(
    connection: Connection, project_id: int, texts: Iterable[str], ranges: Mapping[str, tuple[UUID, UUID]]
) -> dict[str, Target | str]:
    return {
        text: _why_missing(connection, project_id, text, ranges[text]) if place < MOST_LOOKED_UP else _none(text)
        for place, text in enumerate(texts)
    }


def _why_missing(connection: Connection, project_id: int, text: str, ids: tuple[UUID, UUID]) -> str:
    if beginnings.deleted_jobs_between(connection, project_id, *ids, 1):
        return f"the job {text} was deleted"
    if beginnings.deleted_batches_between(connection, project_id, *ids, 1):
        return f"the batch {text} was deleted"
    return _none(text)


def _none(text: str) -> str:
    return f"there is no job or batch {text}"
