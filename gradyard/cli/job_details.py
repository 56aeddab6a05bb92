"""One job on one page: what was asked, what came of it, its curve and its story."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.loss_chart import curve
from gradyard.cli.tables import state_text
from gradyard.client.models import Event, Job, Stage

if TYPE_CHECKING:
    import numpy as np

WIDEST = 100
CURVE_HEIGHT = 12
SHOWN_ELSEWHERE = frozenset({"stage", "name", "steps", "tags"})


def job_card(
    job: Job, events: Sequence[Event], points: "tuple[np.ndarray, np.ndarray] | None", console: Console
) -> RenderableType:
    """Everything about a job; `points` are the steps and losses of its curve, each (points,), None without one."""
    parts: list[RenderableType] = [_facts(job)]
    if points is not None and len(points[1]):
        width = min(console.width, WIDEST)
        parts += ["", *(Text(line) for line in curve(points[1], steps=points[0], width=width, height=CURVE_HEIGHT))]
    return Group(*parts, "", _story(events))


def stage_card(stage: Stage) -> RenderableType:
    """A stage: what it shows and the parameters it understands, with their defaults."""
    grid = _grid()
    title = stage.name if stage.title == stage.name else f"{stage.name}: {stage.title}"
    grid.add_row("stage", Text(title, style="bold"))
    grid.add_row("shows", stage.description)
    grid.add_row("runs on", ", ".join(stage.devices))
    grid.add_row("numerics", f"version {stage.numerics_version}")
    if stage.compiled_pays_from is not None:
        grid.add_row("compiled", f"pays from {text.count(stage.compiled_pays_from)} job-steps (jobs times steps)")
    for name, value in stage.defaults.items():
        if name != "stage":
            grid.add_row(name, Text(_flat(value)))
    return grid


def _facts(job: Job) -> Table:
    grid = _grid()
    for label, value in _rows(job):
        grid.add_row(label, value if isinstance(value, Text) else Text(value))
    return grid


def _rows(job: Job) -> Iterator[tuple[str, str | Text]]:
    yield "job", Text(job.id, style="bold")
    if job.name:
        yield "name", text.printable(job.name)
    if job.retry_of:
        yield "a retry of", job.retry_of
    yield "stage", job.stage
    yield "state", state_text(job.state)
    if said := text.waiting(job):
        yield "waits", said
    if job.reason or job.message:
        yield "reason", Text(text.failure_of(job), style="red")
    yield "steps", f"{job.steps_done:,} of {job.steps:,}"
    if job.formula:
        yield "formula", Text(job.formula, style="green")
    if job.loss:
        yield "loss", _loss(job)
    if job.timings:
        yield "time", _time(job)
    for given in job.warnings:
        yield "warning", Text(text.warning(given), style="yellow")
    if tags := job.spec.get("tags"):
        yield "tags", _flat(tags)
    for name, value in job.spec.items():
        if name not in SHOWN_ELSEWHERE and value not in (None, {}):
            yield "loss function" if name == "loss" else name, _flat(value)  # `loss` is the figures above


def _loss(job: Job) -> str:
    loss = job.loss
    said = f"{text.number(loss.get('first'))} at first, {text.number(loss.get('last'))} at last"
    if loss.get("min") is not None:
        said += f", {text.number(loss['min'])} at best (step {text.count(loss.get('min_step'))})"
    if loss.get("diverged_at") is not None:
        said += f", diverged at step {text.count(loss['diverged_at'])}"
    return said


def _time(job: Job) -> str:
    times = job.timings
    said = f"{text.duration(times.get('train_seconds'))} of training"
    if times.get("steps_per_second"):
        said += f" ({text.count(times['steps_per_second'])} steps/s)"
    if times.get("queued_seconds") is not None:
        said += f" after {text.duration(times['queued_seconds'])} in the queue"
    if (times.get("pack_size") or 1) > 1:
        said += f", in a pack of {times['pack_size']}"
    return said


def _story(events: Sequence[Event]) -> Table:
    grid = _grid()
    for event in events:
        grid.add_row(text.clock(event.at), Text(text.happened(event)))
    return grid


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _flat(value: object) -> str:
    """A part of a spec on one line: `function: sin, points: 2000`; long lists by their length."""
    if isinstance(value, dict) and value:
        return ", ".join(f"{text.printable(name)}: {_flat(part)}" for name, part in value.items() if part is not None)
    if isinstance(value, list | tuple):
        return f"{len(value):,} values" if len(value) > 8 else ", ".join(map(_flat, value))
    if value is None or value == {}:
        return "not set"
    return f"{value:g}" if isinstance(value, float) else text.printable(str(value))
