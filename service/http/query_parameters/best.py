"""The parameters of routes that answer the best jobs."""

from typing import Literal

from pydantic import Field

from gradyard.jobs.questions.read import MOST_BYTES
from service.http.parameters import Project, Query, StageName
from service.http.query_parameters.ids import BatchId
from service.http.query_parameters.whole_numbers import Whole

METRIC = Field(
    default=None, max_length=300,
    description="loss, loss_min, a metric's name (of the final weights) or metrics.NAME.max; default: the stage's own",
)  # fmt: skip
MODE = Field(
    default=None, description="whether the smallest or the largest is best; default: that of the metric's stage"
)


class BestQuery(Query):
    """By what, and how many jobs."""

    metric: str | None = METRIC
    mode: Literal["min", "max"] | None = MODE
    limit: Whole = Field(default=10, ge=1, le=200, description="at most so many")
    project: Project = None


class BestOfJobsQuery(Query):
    """Of which jobs, by what, and how many."""

    where: str | None = Field(
        default=None, max_length=MOST_BYTES, description='only jobs of which it is true: `tags.course == "w3"`'
    )
    batch: BatchId | None = Field(
        default=None, description="only jobs of this batch; its id, or a beginning of at least 8 digits"
    )
    stage: StageName | None = Field(default=None, description="only jobs of this stage")
    metric: str | None = METRIC
    mode: Literal["min", "max"] | None = MODE
    limit: Whole = Field(default=10, ge=1, le=200, description="at most so many")
    project: Project = None
