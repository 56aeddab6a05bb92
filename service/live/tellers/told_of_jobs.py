"""The messages about a job that follow a position: its moves, the next part of its curve, and its end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.curves import Curve
from gradyard.jobs.states import FINISHED
from gradyard.shapes.live import MessageName, MetricPart
from gradyard.store import queries
from gradyard.store.database import Database
from service.live.messages import Message
from service.live.positions import JobPosition
from service.rechecks import recheck_answer
from service.representation.dependencies import depends_on_of
from service.representation.jobs import event_answer, job_answer

STEPS_OF_A_MESSAGE = 10_000  # 200 KB of text
STEPS_AT_ONCE = 1_000_000  # that are read for one message, where it has some of them alone
WHOLE_AT_ONCE = 100_000  # that are read for several messages, where every step is told


def read_messages(
    database: Database, project_id: int, job_id: UUID, position: JobPosition, points: int | None
) -> list[Message]:  # fmt: skip
    """What is to be told of the job after that position, a part of it where its curve is long.

    points: at most so many losses in one message; None: every loss.
    Raises Gone where the job was deleted, NotFound where the project has none.
    """
    with database.snapshot() as connection:
        job = queries.job_by_id(connection, project_id, job_id)
        messages = _moves(connection, job, position)
        told = _told(messages, _within(connection, job, position))
        messages += _curve(connection, job, told, points)
        told = _told(messages, told)
        has_ended = job.state in FINISHED and told.steps >= job.steps_done
        metrics = queries.metric_figures(connection, project_id, [job]).get(job.id) if has_ended else None
        depends_on = depends_on_of(connection, [job]).get(job.id, []) if has_ended else None
    if has_ended:
        answer = job_answer(job, None, recheck_answer(database, job), metrics, depends_on)
        messages.append(Message.of(MessageName.ENDED, answer, replace(told, ended=True)))
    return messages


def _told(messages: Sequence[Message], before: JobPosition) -> JobPosition:
    last = messages[-1].position if messages else None
    return last if isinstance(last, JobPosition) else before


def _within(connection: Connection, job: Row[Any], position: JobPosition) -> JobPosition:
    """The position in a database that lost its last commits, and so is behind it; else the same."""
    head = queries.job_heads(connection, [(job.project_id, job.id)])[job.project_id, job.id]
    return replace(position, sequence=min(position.sequence, head.sequence))


def _moves(connection: Connection, job: Row[Any], position: JobPosition) -> list[Message]:
    messages, steps = [], position.steps
    for row in queries.moves_after(connection, job.project_id, job.id, position.sequence):
        steps = queries.kept_steps(row, steps)
        move = shapes.Move.of(job=job.id, **vars(event_answer(row)))
        messages.append(Message.of(MessageName.MOVE, move, JobPosition(row.sequence, steps)))
    return messages


def _curve(connection: Connection, job: Row[Any], told: JobPosition, points: int | None) -> Iterator[Message]:
    """The next part of the curve. Where fewer steps are stored than were told, a part without any says so."""
    end = min(job.steps_done, told.steps + (WHOLE_AT_ONCE if points is None else STEPS_AT_ONCE))
    if end == told.steps:
        return
    steps, last = range(min(told.steps, end), end), end == job.steps_done
    found = queries.span(connection, job.project_id, job.id, job.dtype, steps, last=last)
    stop = steps.start + len(found.losses)
    at_once = STEPS_OF_A_MESSAGE if points is None else max(1, len(steps))
    for begin in range(steps.start, stop, at_once) if len(steps) else (end,):
        part = range(begin, min(begin + at_once, stop))
        losses = Curve(part, found.losses[part.start - steps.start : part.stop - steps.start])
        metrics = {name: _metric(each, part, points, last=part.stop == stop) for name, each in found.metrics.items()}
        answer = _part(job, losses, {name: each for name, each in metrics.items() if each["steps"]}, points)
        yield Message.of(MessageName.CURVE, answer, replace(told, steps=part.stop))


def _part(job: Row[Any], losses: Curve, metrics: dict[str, MetricPart], points: int | None) -> shapes.CurvePart:
    every = losses.steps
    shown = losses.points(points) if points is not None and len(every) > points else losses
    assert isinstance(every, range)
    return shapes.CurvePart.of(
        job=job.id, from_step=every.start, to_step=every.stop, steps=None if shown is losses else shown.steps,
        losses=shown.values, metrics=metrics,
    )  # fmt: skip


def _metric(curve: Curve, part: range, points: int | None, *, last: bool) -> MetricPart:
    inside = curve.between(part.start, None if last else part.stop)
    if points is not None and len(inside.values) > points:
        inside = inside.points(points)
    return {"steps": inside.steps.tolist(), "values": inside.values.tolist()}  # type: ignore[union-attr]
