"""One batch: its jobs by state, its failures by reason, and its best jobs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.output.listing import Column, Listing
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import Batch, BatchNow, BatchSummary, BestJobs


def batch_details(batch: Batch) -> RenderableType:
    """What a batch is, where its jobs stand, and why some of them failed."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in _rows(batch):
        grid.add_row(label, value)
    failures = [Text(line) for line in failure_lines(batch)]
    return Group(grid, "", *failures) if failures else grid


def counts(batch: BatchSummary | BatchNow) -> str:
    """How many of the jobs are in each state: `37 succeeded, 3 failed`."""
    return ", ".join(f"{count:,} {state}" for state, count in batch.counts.items() if count)


def axes(batch: Batch) -> list[str]:
    """The parameters that the sweep varied; empty where it was none, or a very long one."""
    sweep = batch.sweep or {}
    return [*sweep.get("grid", {}), *sweep.get("random", {})]


def failure_lines(batch: Batch) -> list[str]:
    """A line for each reason, with the id of one job and what it says; then how to see the rest. Empty without any."""
    failed = batch.counts.get("failed", 0)
    if not failed:
        return []
    lines = [_failure(each["count"], each["reason"], each["job"], each["message"]) for each in batch.failures]
    rest = f"`{text.command_as_called()} jobs --batch {batch.id} --state failed` lists the failed jobs"
    again = f"`{text.command_as_called()} batches retry {batch.id}` submits them anew"
    return [*lines, f"{rest}; {again}"]


def _failure(count: int, reason: str, job: str, message: str | None) -> str:
    example = f"such as {job}" if count > 1 else job
    return one_line(f"{count:,} {reason}: {example}" + (f": {message}" if message else ""))


def _rows(batch: Batch) -> Iterator[tuple[str, str | Text]]:
    yield "batch", Text(batch.id, style="bold")
    if batch.name:
        yield "name", one_line(batch.name)
    yield "state", batch.state
    yield "jobs", f"{batch.size:,}: {counts(batch)}"
    yield "submitted", text.clock(batch.submitted_at)
    if varied := axes(batch):
        yield "varied", one_line(", ".join(varied))


def best_table(best: BestJobs, axes: Sequence[str]) -> Listing:
    """One line for each job: by what it is one of the best, and the values of the parameters that a sweep varied."""
    lasts = [axis.rpartition(".")[2] for axis in axes]
    briefs = [
        last if lasts.count(last) == 1 else axis.replace(".", ".\n") for axis, last in zip(axes, lasts, strict=True)
    ]
    figure = one_line(text.figure(best.metric))
    listing = Listing(
        Column("id", kind="id"), Column(figure, right=True, brief=figure.replace(" ", "\n")),
        *(Column(axis, right=True, brief=brief.replace("_", "_\n"))
          for axis, brief in zip(axes, briefs, strict=True)),
    )  # fmt: skip
    values = best.values or [job.loss.get("last") for job in best.jobs]  # an older service names none
    for job, value in zip(best.jobs, values, strict=True):
        listing.add(job.id, text.number(value), *(_at(job.spec, axis) for axis in axes))
    return listing


def _at(spec: Any, path: str) -> str:
    for name in path.split("."):
        spec = spec.get(name) if isinstance(spec, Mapping) else None
    return f"{spec:g}" if isinstance(spec, float) else str(spec)
