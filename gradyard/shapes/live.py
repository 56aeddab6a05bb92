"""What streams of events tell: the data of each kind of message, as JSON on one line."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import Field, NonNegativeInt, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from gradyard.jobs.states import State
from gradyard.shapes.base import EXTRA_FIELDS_ARE_KEPT, Answer
from gradyard.shapes.histories import Event

EVENT_STREAM = "text/event-stream"


class MessageName(StrEnum):
    """The kinds of messages in a stream of events."""

    MOVE = "move"
    CURVE = "curve"
    PROGRESS = "progress"
    ENDED = "ended"
    MOVES = "moves"
    COUNTS = "counts"
    BATCH_ENDED = "batch_ended"
    PROJECT = "project"
    PROBLEM = "problem"


class Move(Event):
    """One change of a job's state. A job that goes back into the queue keeps its first `steps_done` steps alone."""

    job: str


@with_config(EXTRA_FIELDS_ARE_KEPT)
class MetricPart(TypedDict):
    """Values of a metric, and the steps at which they were measured. What is not finite is null."""

    steps: tuple[NonNegativeInt, ...]
    values: tuple[float | None, ...]


class CurvePart(Answer):
    """Losses of a job, and metrics, from one step up to another, without it. They replace what was known from there on.

    The metrics of the final weights are those at the job's last step, `to_step` of its last part.
    """

    job: str
    from_step: int
    to_step: int
    steps: tuple[int, ...] | None = Field(
        default=None, description="where some steps were left out: those that are here; null: every step is"
    )
    losses: tuple[float | None, ...]
    metrics: Mapping[str, MetricPart] = {}


class Progress(Answer):
    """How far a job is at this moment, with what is not recorded yet."""

    job: str
    state: State
    attempt: int
    steps: int | None = Field(description="null: its stage ends when it is done")
    steps_done: int


class RunningJob(Progress):
    """A running job in a project's stream. `loss_last` is the last one that is recorded."""

    stage: str
    name: str | None
    batch: str | None
    loss_last: float | None


class BatchMoves(Answer):
    """Moves of jobs of a batch; those of one job in their order."""

    batch: str
    moves: tuple[Move, ...]


class BestSoFar(Answer):
    """The best job of those that succeeded: by which figure (`loss_last`), and its value."""

    job: str
    metric: str
    mode: str = Field(description="min or max: whether the smallest or the largest is best")
    value: float


class BatchNow(Answer):
    """How many jobs of a batch are in each state, and the best so far. A job that was replaced is not counted."""

    batch: str
    state: Literal["queued", "running", "finished"]
    size: int
    counts: Mapping[str, int]
    best: BestSoFar | None = Field(
        default=None, description="by the metric of their stage, of several stages the last loss; null: there is none"
    )


class ProjectNow(Answer):
    """How many jobs of a project are in each state, which run, and which have left `running` since the last message."""

    counts: Mapping[str, int]
    running: tuple[RunningJob, ...]
    more: bool = Field(description="whether more jobs run than are listed; those are the newest")
    ended: tuple[str, ...] = Field(description="their ids; some of them may be back in the queue")
