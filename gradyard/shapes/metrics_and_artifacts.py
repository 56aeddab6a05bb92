"""What a stage of a plug-in finds beside its losses."""

from pydantic import BaseModel


class MetricList(BaseModel):
    """The names of the curves that a job has beside its loss."""

    metrics: list[str]


class MetricCurve(BaseModel):
    """Some values of a curve that was measured at every `every`-th step; a value that is not finite is null."""

    every: int
    steps: list[int]
    values: list[float | None]


class Artifact(BaseModel):
    """A named array: its dtype as numpy calls it, and its shape."""

    name: str
    dtype: str
    shape: list[int]


class ArtifactList(BaseModel):
    """The arrays that a job found."""

    artifacts: list[Artifact]
