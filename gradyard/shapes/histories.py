"""What a job leaves behind while it runs: events, logs and losses."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from gradyard.jobs.events import EventKind
from gradyard.jobs.states import State
from gradyard.shapes.base import Answer

MOST_CURVES, MOST_POINTS_OF_CURVES = 64, 1_000_000
"""Of one answer with curves of several jobs: their ids fit into the first line of a request."""


class Predictions(Answer):
    """What a fitted model says: y at each x; null where it is too large for a float64."""

    x: tuple[float, ...]
    y: tuple[float | None, ...]


class Event(Answer):
    """One change of a job's state."""

    sequence: int
    from_state: State | None = Field(default=None, alias="from")
    to_state: State = Field(alias="to")
    kind: Annotated[EventKind | str, Field(union_mode="left_to_right")] | None = Field(
        default=None, description="what changed the state; null for events from before this field"
    )
    attempt: int = 0
    actor: str = ""
    at: AwareDatetime
    detail: str | None = None
    steps_done: int | None = Field(default=None, description="recorded then; null for events from before this field")


class EventList(Answer):
    """The changes of a job's state, the oldest first. `next_cursor` asks for the next page; null on the last one."""

    events: tuple[Event, ...]
    next_cursor: str | None = None


class AttemptLog(Answer):
    """The output of a job's runner in one attempt, its last 64 KiB; `truncated` where there was more."""

    attempt: int
    text: str
    truncated: bool = False


class LogList(Answer):
    """The logs of a job by attempt, the oldest first. `next_cursor` asks for the next page; null on the last one."""

    logs: tuple[AttemptLog, ...]
    next_cursor: str | None = None


class LossesOfJob(Answer):
    """Some steps of the loss curve of a job; none where it has none yet."""

    job: str
    steps: tuple[int, ...]
    losses: tuple[float | None, ...]


class LossesOfJobs(Answer):
    """Loss curves of several jobs, in the order in which they were asked for."""

    curves: tuple[LossesOfJob, ...]


class Losses(Answer):
    """Some steps of a loss curve, its first, last, lowest and highest among them. A loss that is not finite is null."""

    steps: tuple[int, ...]
    losses: tuple[float | None, ...]
