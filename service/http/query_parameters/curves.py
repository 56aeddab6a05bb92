"""The parameters of routes that answer curves."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator, model_validator

from gradyard.shapes.histories import MOST_CURVES, MOST_POINTS_OF_CURVES
from service.http.parameters import Project, Query
from service.http.query_parameters.ids import JobId
from service.http.query_parameters.whole_numbers import Whole

USUAL_POINTS, MOST_POINTS = 1000, 100_000
MOST_SMOOTHED = 1001

First = Annotated[
    Whole | None,
    Field(default=None, alias="from", description="the first step; negative: so many from the end of the curve"),
]
After = Annotated[
    Whole | None, Field(default=None, alias="to", description="the step after the last; negative: as of `from`")
]
Points = Annotated[
    Whole | None,
    Field(
        default=None, ge=2, le=MOST_POINTS,
        description=f"at most so many values; default of JSON: {USUAL_POINTS:,}; of CSV: all; not of NPY",
    ),
]  # fmt: skip


class CurveQuery(Query):
    """Which steps of a curve, and how many of its values."""

    first: First = None
    after: After = None
    points: Points = None
    project: Project = None


class CurvesQuery(Query):
    """The curves of which jobs, which steps of them, and how many of their values."""

    job: list[JobId] = Field(
        min_length=1, max_length=MOST_CURVES, description="the id of a job, or its beginning; once for each job"
    )
    first: First = None
    after: After = None
    points: Points = None
    smooth: Whole = Field(
        default=1, ge=1, le=MOST_SMOOTHED, description="the mean of so many values around each, an odd number; 1: none"
    )
    project: Project = None

    @field_validator("smooth")
    @classmethod
    def _odd(cls, smooth: int) -> int:
        if smooth % 2 == 0:
            raise ValueError("must be an odd number: as many values before each as after it")
        return smooth

    @model_validator(mode="after")
    def _not_too_many(self) -> Any:
        if len(self.job) * (self.points or USUAL_POINTS) > MOST_POINTS_OF_CURVES:
            raise ValueError(f"jobs times points must be at most {MOST_POINTS_OF_CURVES:,}; ask for fewer of one")
        return self


class MetricPath(BaseModel):
    """Which metric."""

    name: str = Field(description="the name of the metric, as its stage gave it")
