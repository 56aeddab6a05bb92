"""The message with the moves of a batch's jobs that follow a position."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.shapes.live import MessageName
from gradyard.store import queries
from gradyard.store.database import Database
from service.live import told_members
from service.live.messages import Message
from service.live.positions import BatchPosition
from service.live.told_members import ALL, ToldMembers
from service.representation.jobs import event_answer

MOST_MOVES = 1000  # of one message, 300 KB of text
JOBS_AT_ONCE = 500  # of which moves are read in one statement


def read_moves(database: Database, project_id: int, batch_id: UUID, position: BatchPosition) -> list[Message]:
    """What is to be told of the batch's jobs after that position: one message, or none. `more`: it is not all.

    Raises Gone where the batch was deleted, NotFound where the project has none.
    """
    with database.snapshot() as connection:
        queries.batch_by_id(connection, project_id, batch_id)
        members = _members(connection, project_id, batch_id, position.told)
        rows, asked = _rows(connection, project_id, members.due, position.told)
    if not rows:
        return []
    is_all = len(rows) < MOST_MOVES
    moves = _told_then(rows, asked, members.ended, is_all=is_all)
    then = _as_far_as_it_can_be_said(position.told, members, moves)
    shown = [row for row in rows if (now := then.of(row.job_id)) == ALL or row.sequence <= now]
    if not shown:
        return []
    answer = shapes.BatchMoves.of(batch=batch_id, moves=[
        shapes.Move.of(job=row.job_id, **vars(event_answer(row))) for row in _by_time(shown)
    ])  # fmt: skip
    return [Message.of(MessageName.MOVES, answer, replace(position, told=then), more=not is_all)]


class _Members(NamedTuple):
    """Jobs of a batch. due: those that may have moved. known: those up to `reached`, and some later ones."""

    due: list[UUID]
    known: list[UUID]
    reached: UUID
    ended: set[UUID]


def _members(connection: Connection, project_id: int, batch_id: UUID, told: ToldMembers) -> _Members:
    """What is needed of the batch's jobs: neither those of which all is told, nor those that wait for the first time.

    Of the latter those count that stand among others, and those of which nothing is told.
    """
    ended = queries.ended_members(connection, batch_id, told.settled)
    moving = queries.moving_members(connection, project_id, batch_id)
    reached = max(ended | moving | {told.settled})
    live = queries.live_members(connection, batch_id, told.settled, reached)
    new = queries.live_members(connection, batch_id, max(reached, told.last), limit=MOST_MOVES)
    known = sorted({*ended, *live, *new})
    due = [job for job in known if (of := told.of(job)) != ALL and (not of or job in ended or job in moving)]
    return _Members(due, known, reached, ended)


def _rows(
    connection: Connection, project_id: int, due: Sequence[UUID], told: ToldMembers
) -> tuple[list[Row[Any]], list[UUID]]:  # fmt: skip
    """The moves of the first of these jobs, MOST_MOVES at most, and the jobs that were asked for."""
    rows, asked = list[Row[Any]](), list[UUID]()
    for first in range(0, len(due), JOBS_AT_ONCE):
        some = due[first : first + JOBS_AT_ONCE]
        known = {job: told.of(job) for job in some}
        rows += queries.moves_of_members(connection, project_id, known, MOST_MOVES - len(rows))
        asked += some
        if len(rows) >= MOST_MOVES:
            break
    return rows, asked


def _told_then(
    rows: Sequence[Row[Any]], asked: Iterable[UUID], ended: Collection[UUID], *, is_all: bool
) -> dict[UUID, int]:  # fmt: skip
    """How many moves of each of these jobs are told with these rows. is_all: there are no others."""
    then = {row.job_id: row.sequence for row in rows}
    whole = asked if is_all else [job for job in then if job != rows[-1].job_id]  # of the last one more may follow
    return then | {job: ALL for job in whole if job in ended}


def _as_far_as_it_can_be_said(told: ToldMembers, members: _Members, moves: Mapping[UUID, int]) -> ToldMembers:
    """What is told after these moves, or after those of the first jobs alone, so that an id can say it.

    What is left out is told when more jobs before it have ended: of these an id says the same, so it becomes short.
    """
    jobs = sorted(moves)
    while jobs:
        then = told.after(members.known, members.reached, {job: moves[job] for job in jobs})
        if len(str(then)) <= told_members.MOST_LETTERS:
            return then
        jobs = jobs[: len(jobs) // 2]
    return told


def _by_time(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """The rows by their times; those of a job in their order, also where a clock was set back."""
    latest: dict[UUID, float] = {}
    moments = []
    for row in rows:
        latest[row.job_id] = max(row.at, latest.get(row.job_id, row.at))
        moments.append(latest[row.job_id])
    return [row for _, row in sorted(zip(moments, rows, strict=True), key=lambda each: each[0])]
