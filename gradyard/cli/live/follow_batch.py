"""Follows a batch until all of its jobs have ended: a bar and counts on a terminal, a line now and then elsewhere."""

import time

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from gradyard.cli import text
from gradyard.cli.batch_details import counts
from gradyard.cli.progress import LONGEST_LINE_SECONDS, SHORTEST_LINE_SECONDS
from gradyard.client.client import Client
from gradyard.client.live.watching import BatchEvent
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import Batch, BatchNow, Move

WIDTH_WITH_BAR, WIDTH_WITH_TIME = 70, 90


def follow_batch(client: Client, batch: Batch, console: Console) -> Batch:
    """Shows how many jobs of the batch are in each state until it has ended, and returns it then."""
    spinner = SpinnerColumn("dots" if console.encoding.startswith("utf") else "line", finished_text=" ")
    columns: list[ProgressColumn] = [spinner, TextColumn("{task.description}", markup=False), MofNCompleteColumn()]
    columns += [BarColumn(bar_width=min(40, console.width // 4))] if console.width >= WIDTH_WITH_BAR else []
    columns += [TimeElapsedColumn()] if console.width >= WIDTH_WITH_TIME else []
    columns += [TextColumn("{task.fields[counts]}")]
    with Progress(*columns, console=console, disable=not console.is_interactive) as bar:
        task, lines = bar.add_task(one_line(batch.name or "batch")[:30], total=batch.size, counts=""), _Lines()
        seen: BatchEvent = batch
        for seen in () if batch.finished else client.batches.watch(batch, moves=False):
            if isinstance(seen, Move):
                continue
            bar.update(task, completed=_finished(seen), counts=_told(seen))
            if not console.is_interactive:
                lines.say(seen)
    return seen if isinstance(seen, Batch) else batch


class _Lines:
    """A line about a batch now and then, at first every five seconds: a long one has no long log."""

    def __init__(self) -> None:
        self._began = self._said_at = time.monotonic()

    def say(self, seen: Batch | BatchNow) -> None:
        """Prints how far the batch is, where the last line is old."""
        now = time.monotonic()
        pause = min(LONGEST_LINE_SECONDS, max(SHORTEST_LINE_SECONDS, (now - self._began) / 4))
        if now - self._said_at >= pause and isinstance(seen, BatchNow):
            self._said_at = now
            typer.echo(f"{_finished(seen):,} of {text.jobs(seen.size)} ended: {_told(seen)}", err=True)


def _told(seen: Batch | BatchNow) -> str:
    """How many jobs are in each state, and the best value so far: `37 succeeded, 3 failed; best loss_last 8.884`."""
    best = seen.best if isinstance(seen, BatchNow) else None
    return counts(seen) + (f"; best {one_line(best.metric)} {text.number(best.value)}" if best else "")


def _finished(seen: Batch | BatchNow) -> int:
    return seen.size - seen.counts.get("queued", 0) - seen.counts.get("running", 0)
