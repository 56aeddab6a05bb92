"""The parameters of streams of events."""

from typing import Annotated, Literal

from pydantic import Field

from service.http.parameters import Project, Query
from service.http.query_parameters.curves import MOST_POINTS
from service.http.query_parameters.ids import BatchId, JobId
from service.http.query_parameters.pages import LongPageQuery
from service.http.query_parameters.whole_numbers import Whole

MOST_JOBS, MOST_BATCHES = 64, 16

StreamPoints = Annotated[
    Annotated[Whole, Field(ge=2, le=MOST_POINTS)] | Literal["all"] | None,
    Field(
        default=None,
        description="of a stream: at most so many losses in one message, of a longer range the first, last, lowest and "
        "highest of its parts; default: 10,000; `all`: every loss, in several messages",
    ),
]


class EventsQuery(LongPageQuery):
    """Which page of the events; of a stream, how many losses in one message."""

    points: StreamPoints = None


Moves = Annotated[bool, Field(description="false: without the moves of the jobs of batches")]


class BatchEventsQuery(Query):
    """What is told of the batch."""

    moves: Moves = True
    project: Project = None


class ManyEventsQuery(Query):
    """What a stream is about."""

    job: list[JobId] = Field(
        default=[], max_length=MOST_JOBS, description="the id of a job, or its beginning; once for each"
    )
    batch: list[BatchId] = Field(
        default=[], max_length=MOST_BATCHES, description="the id of a batch, or its beginning; once for each"
    )
    points: StreamPoints = None
    moves: Moves = True
    project: Project = None
