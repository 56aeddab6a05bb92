"""The details of one job (spec, result, loss curve, event log) and of one stage."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.output.loss_chart import curve
from gradyard.cli.tables import state_text
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import Event, Job, MetricFigures, StageWithSchema

if TYPE_CHECKING:
    import numpy as np

WIDEST = 100
CURVE_HEIGHT = 12
SHOWN_ELSEWHERE = frozenset({"stage", "name", "steps", "tags", "priority"})


def job_details(
    job: Job, events: Sequence[Event], points: "tuple[np.ndarray, np.ndarray] | None", console: Console
) -> RenderableType:
    """Everything about a job. `points`: steps and losses of its curve, each (points,); None without a curve."""
    parts: list[RenderableType] = [_facts(job)]
    if points is not None and len(points[1]):
        width = min(console.width, WIDEST)
        parts += ["", *(Text(line) for line in curve(points[1], steps=points[0], width=width, height=CURVE_HEIGHT))]
    return Group(*parts, "", _event_log(events))


def stage_details(stage: StageWithSchema) -> RenderableType:
    """A stage: its description, and its parameters with their defaults and what they are for."""
    grid = _grid()
    title = stage.name if stage.title == stage.name else f"{stage.name}: {stage.title}"
    grid.add_row("stage", Text(title, style="bold"))
    grid.add_row("shows", stage.description)
    grid.add_row("runs on", ", ".join(stage.devices))
    grid.add_row("numerics", f"version {stage.numerics_version}")
    if stage.compiled_pays_from is not None:
        grid.add_row("compiled", f"pays from {text.count(stage.compiled_pays_from)} job-steps (jobs times steps)")
    if stage.gpu_pays is not None:
        grid.add_row("a GPU", stage.gpu_pays.sentence)
    grid.add_row("best", f"the {'smallest' if stage.mode == 'min' else 'largest'} last {stage.metric}")
    return Group(grid, "", _parameters(stage))


def _parameters(stage: StageWithSchema) -> Table:
    known: Mapping[str, Any] = (stage.parameters or {}).get("properties", {})  # an older service may send no schema
    grid = _grid()
    grid.add_column(style="dim", overflow="fold")
    for name, value in stage.defaults.items():
        if name != "stage":
            grid.add_row(name, Text(_flat(value)), Text(one_line(known.get(name, {}).get("description", ""))))
    return grid


def _facts(job: Job) -> Table:
    grid = _grid()
    for label, value in _rows(job):
        grid.add_row(label, value if isinstance(value, Text) else Text(value))
    return grid


def _rows(job: Job) -> Iterator[tuple[str, str | Text]]:
    yield "job", Text(job.id, style="bold")
    if job.name:
        yield "name", one_line(job.name)
    yield from _rows_of_others(job)
    yield "stage", job.stage
    yield "state", state_text(job.state)
    for each in job.depends_on or ():
        yield "depends on", f"{each['kind']} {each['id']}: {each['state']} (must have {each['condition']})"
    if waiting := text.waiting(job):
        yield "waiting", waiting
    if job.reason or job.message:
        yield "reason", Text(text.failure_of(job), style="red")
    yield "steps", f"{job.steps_done:,} of {job.steps:,}"
    if job.formula:
        yield "formula", Text(job.formula, style="green")
    if job.loss:
        yield "loss", _loss(job)
    for name, figures in job.metrics.items():
        yield one_line(name), _metric(figures)
    if job.timings:
        yield "time", _time(job)
    for warning in job.warnings:
        yield "warning", Text(text.warning(warning), style="yellow")
    yield from _rows_of_spec(job)


def _rows_of_others(job: Job) -> Iterator[tuple[str, str | Text]]:
    """The jobs that this one repeats, or is repeated by."""
    if job.retry_of:
        yield "retry of", job.retry_of
    if job.recheck:
        yield "recheck", Text(text.recheck(job), style="yellow" if job.recheck["state"] == "differs" else "")
    if job.replaced_by:
        yield "replaced by", job.replaced_by


def _rows_of_spec(job: Job) -> Iterator[tuple[str, str]]:
    if job.priority:
        yield "priority", str(job.priority)
    if job.pinned:
        yield "pinned", "retention and deletions leave it"
    if job.tags:
        yield "tags", _flat(dict(job.tags))
    for name, value in job.spec.items():
        if name not in SHOWN_ELSEWHERE and value not in (None, {}):
            yield "loss function" if name == "loss" else name, _flat(value)  # `loss` above is the figures


def _loss(job: Job) -> str:
    loss = job.loss
    line = f"{text.number(loss.get('first'))} first, {text.number(loss.get('last'))} last"
    if loss.get("min") is not None:
        line += f", {text.number(loss['min'])} lowest (step {text.count(loss.get('min_step'))})"
    if loss.get("attainable") is not None:
        line += f"; least squares reaches {text.number(loss['attainable'])}"
    if loss.get("diverged_at") is not None:
        line += f", diverged at step {text.count(loss['diverged_at'])}"
    return line


def _metric(figures: MetricFigures) -> str:
    line = f"{text.number(figures['last'])} last"
    for name, word in (("min", "lowest"), ("max", "highest")):
        if figures.get(name) is not None:
            line += f", {text.number(figures[name])} {word} (step {text.count(figures[f'{name}_step'])})"  # type: ignore[literal-required]
    return line


def _time(job: Job) -> str:
    times = job.timings
    line = f"{text.duration(times.get('train_seconds'))} of training"
    if times.get("steps_per_second"):
        line += f" ({text.count(times['steps_per_second'])} steps/s)"
    if times.get("queued_seconds") is not None:
        line += f" after {text.duration(times['queued_seconds'])} in the queue"
    if (times.get("pack_size") or 1) > 1:
        line += f", in a pack of {times['pack_size']}"
    return line


def _event_log(events: Sequence[Event]) -> Table:
    grid = _grid()
    for event in events:
        grid.add_row(text.clock(event.at), Text(text.event_sentence(event)))
    return grid


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _flat(value: object) -> str:
    """A part of a spec on one line: `function: sin, points: 2000`. A long list is shown by its length."""
    if isinstance(value, dict) and value:
        return ", ".join(f"{one_line(name)}: {_flat(part)}" for name, part in value.items() if part is not None)
    if isinstance(value, list | tuple):
        return f"{len(value):,} values" if len(value) > 8 else ", ".join(map(_flat, value))
    if value is None or value == {}:
        return "not set"
    return f"{value:g}" if isinstance(value, float) else one_line(str(value))
