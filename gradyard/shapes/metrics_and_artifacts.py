"""What a stage of a plug-in reports beside its losses: named curves and named arrays."""

from gradyard.shapes.base import Answer


class MetricList(Answer):
    """The names of the curves that a job has beside its loss."""

    metrics: tuple[str, ...]


class MetricCurve(Answer):
    """Some values of a curve that was measured at every `every`-th step. A value that is not finite is null."""

    every: int
    steps: tuple[int, ...]
    values: tuple[float | None, ...]


class Artifact(Answer):
    """A named array: its dtype as numpy calls it, and its shape."""

    name: str
    dtype: str = ""
    shape: tuple[int, ...] = ()


class ArtifactList(Answer):
    """The arrays that a job reported."""

    artifacts: tuple[Artifact, ...]
