"""What a stage of a plug-in reports beside its losses: named curves and named arrays."""

from gradyard.shapes.base import Answer


class MetricList(Answer):
    """The names of the curves that a job has beside its loss."""

    metrics: tuple[str, ...]


class MetricCurve(Answer):
    """Some values of a curve that was measured at every `every`-th step, and after the last one.

    A value that is not finite is null.
    """

    every: int
    steps: tuple[int, ...]
    values: tuple[float | None, ...]


class MetricOfJob(Answer):
    """Some values of a metric of a job; none where it has no such metric. A value that is not finite is null."""

    job: str
    steps: tuple[int, ...]
    values: tuple[float | None, ...]


class MetricOfJobs(Answer):
    """One metric of several jobs, in the order in which they were asked for."""

    metric: str
    curves: tuple[MetricOfJob, ...]


class Artifact(Answer):
    """A named array: its dtype as numpy calls it, and its shape."""

    name: str
    dtype: str = ""
    shape: tuple[int, ...] = ()


class ArtifactList(Answer):
    """The arrays that a job reported."""

    artifacts: tuple[Artifact, ...]
