"""Limits on the cost of one job."""

from collections.abc import Iterator

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.validation.messages import figure


def check_cost(spec: JobSpec, settings: Settings) -> None:
    """Refuse a spec over the limits of the settings. SpecInvalid names the field, the figure and the limit."""
    if problems := list(_excesses(spec, settings)):
        raise SpecInvalid(problems)


def _excesses(spec: JobSpec, settings: Settings) -> Iterator[FieldProblem]:
    points, steps = spec.dataset.points, spec.steps
    most_points = spec.dataset.max_points(settings)
    if points > most_points:
        pointer = f"/dataset/{spec.dataset.points_field}"
        yield FieldProblem(pointer, f"{figure(points)} points; at most {most_points:,}")
    if steps > settings.max_steps:
        yield FieldProblem("/steps", f"{figure(steps)} steps; at most {settings.max_steps:,}")
    history = steps * (8 if spec.dtype == "float64" else 4)
    if history > settings.max_history_bytes:
        yield FieldProblem("/steps", f"a history of {figure(history)} bytes; at most {settings.max_history_bytes:,}")
    if points * steps > settings.max_point_steps:
        yield FieldProblem("", f"{figure(points * steps)} point-steps; at most {settings.max_point_steps:,}")
