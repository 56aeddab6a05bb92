"""What is shown of several jobs while they train: bars on a terminal, single lines elsewhere."""

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.output.outcomes import short
from gradyard.jobs.states import State
from gradyard.shapes import Job

WIDTH_WITH_BAR, WIDTH_WITH_TIME = 58, 68
# Between two lines about one running job, without a terminal: it grows with time, so a long run has no long log.
SHORTEST_LINE_SECONDS, LONGEST_LINE_SECONDS = 5.0, 60.0


class Bars:
    """A progress bar for each job."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(*_columns(console), console=console)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, job: Job) -> None:
        """Draws the bar of the job in its present state."""
        if job.id not in self._tasks:
            self._tasks[job.id] = self._progress.add_task(job.id, total=job.steps, stage=job.stage, outcome="")
        style = text.STATE_STYLES.get(job.state, "")
        outcome = f"[{style}]{job.state}[/]"
        if job.succeeded and job.loss:
            outcome += f", loss {text.number(job.loss.get('last'))}"
        self._progress.update(self._tasks[job.id], completed=job.steps_done, outcome=outcome)
        if job.finished:
            self._progress.stop_task(self._tasks[job.id])


def _columns(console: Console) -> list[ProgressColumn]:
    """What fits the terminal: stage, steps and outcome, then the bar, then the time."""
    spinner = "dots" if console.encoding.startswith("utf") else "line"
    columns: list[ProgressColumn] = [
        SpinnerColumn(spinner, finished_text=" "),
        TextColumn("{task.fields[stage]:<9}", markup=False),
        MofNCompleteColumn(),
        TextColumn("{task.fields[outcome]}"),
    ]
    if console.width >= WIDTH_WITH_BAR:
        columns.insert(2, BarColumn(bar_width=min(40, max(10, console.width - 70))))
    if console.width >= WIDTH_WITH_TIME:
        columns.insert(4, TimeElapsedColumn())
    return columns


class Lines:
    """One line for each change of a job's state, and one every few seconds while it runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last_lines: dict[str, tuple[str, float]] = {}
        self._began = time.monotonic()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, job: Job) -> None:
        """Prints a line if the state has changed, or if the last line about a running job is old."""
        state, printed_at = self._last_lines.get(job.id, ("", 0.0))
        now = time.monotonic()
        pause = min(LONGEST_LINE_SECONDS, max(SHORTEST_LINE_SECONDS, (now - self._began) / 4))
        if job.state == state and (job.state != State.RUNNING or now - printed_at < pause):
            return
        self._last_lines[job.id] = (job.state, now)
        self._console.print(Text(f"{job.stage:<9} {job.state:<9} {short(text.outcome(job))}".rstrip()))
