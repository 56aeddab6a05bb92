"""Follows a job until it has ended: its curve grows on a terminal, single lines tell of it elsewhere."""

import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.job_details import CURVE_HEIGHT, WIDEST
from gradyard.cli.live.growing_curve import GrowingCurve
from gradyard.cli.output.loss_chart import curve
from gradyard.cli.progress import Lines
from gradyard.cli.tables import state_text
from gradyard.client.client import Client
from gradyard.client.live.watching import JobEvent
from gradyard.jobs.states import FINISHED, State
from gradyard.shapes import CurvePart, Job, Move, Progress

FRAMES_A_SECOND = 8
SMALLEST_CURVE = 4  # lines; a terminal that has fewer shows the progress alone
WIDTH_WITH_BAR, WIDTH_WITH_TIME = 64, 80


def follow_job(client: Client, job: Job, console: Console) -> Job:
    """Shows the job until it has ended, and returns it then."""
    shown = _Screen(console, job) if console.is_interactive else _Printed(console, job)
    with shown:
        for event in () if job.finished else client.watch(job):
            job = after(client, job, event)
            if isinstance(event, CurvePart):
                shown.curve.take(event)
            shown.show(job)
    return job


def after(client: Client, job: Job, event: JobEvent) -> Job:
    """The job as it is after an event. Why a job waits that is back in the queue, the service is asked."""
    if isinstance(event, Job):
        return event
    if isinstance(event, Move) and event.to_state is State.QUEUED and event.sequence > 1:
        return client.job(job)
    if isinstance(event, Move) and event.to_state not in FINISHED:  # else the whole job comes, with its result
        return job.model_copy(update={"state": event.to_state, "attempt": event.attempt})
    if isinstance(event, Progress):
        return job.model_copy(update={
            "state": event.state, "attempt": event.attempt, "steps_done": event.steps_done
        })  # fmt: skip
    return job


class _Printed:
    """Lines, for a pipe or a file."""

    def __init__(self, console: Console, job: Job) -> None:
        self._lines, self.curve = Lines(console), GrowingCurve()
        self.show(job)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, job: Job) -> None:
        """Prints a line where there is something to say."""
        self._lines.show(job)


class _Screen:
    """The curve so far, and a line below it, drawn anew several times a second."""

    def __init__(self, console: Console, job: Job) -> None:
        self.curve, self._job, self._console = GrowingCurve(), job, console
        self._steps_before, self._began = 0, time.monotonic()
        self._spinner = Spinner("dots" if console.encoding.startswith("utf") else "line")
        self._live = Live(
            get_renderable=self._drawn, console=console, refresh_per_second=FRAMES_A_SECOND, redirect_stdout=False,
            redirect_stderr=False,
        )  # fmt: skip

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, job: Job) -> None:
        """Draws the job as it is now from the next frame on."""
        if self._job.state is not State.RUNNING and job.state is State.RUNNING:
            self._steps_before, self._began = job.steps_done, time.monotonic()
        self._job = job

    def _drawn(self) -> RenderableType:
        width, height = min(self._console.width, WIDEST), min(CURVE_HEIGHT, self._console.height - 3)
        steps, losses = self.curve.points
        lines = [Text(each) for each in curve(losses, steps=steps, width=width, height=height)] if len(losses) else []
        return Group(*(lines if height >= SMALLEST_CURVE else ()), self._progress(width))

    def _progress(self, width: int) -> RenderableType:
        """The state, a bar and the steps, or why it waits; as much as fits the width."""
        job, row = self._job, Table.grid(padding=(0, 1))
        parts: list[RenderableType] = [Text(" ") if job.finished else self._spinner, state_text(job.state)]
        if job.state is State.QUEUED:
            parts.append(Text(text.waiting(job) or "", overflow="ellipsis", no_wrap=True))
        else:
            if width >= WIDTH_WITH_BAR and job.steps:
                bar = width // 4 if width >= WIDEST else width // 8
                parts.append(ProgressBar(total=job.steps, completed=job.steps_done, width=bar))
            parts.append(Text(self._figures(job, wide=width >= WIDTH_WITH_TIME), overflow="ellipsis", no_wrap=True))
        row.add_row(*parts)
        return row

    def _figures(self, job: Job, *, wide: bool) -> str:
        of_all = f" of {job.steps:,}" if job.steps else ""
        loss = job.loss.get("last") if job.loss else self.curve.last
        figures = [f"step {job.steps_done:,}{of_all}"] + ([] if loss is None else [f"loss {text.number(loss)}"])
        return ", ".join([*figures, *([left] if wide and (left := self._left(job)) else [])])

    def _left(self, job: Job) -> str:
        """For how long it trains on, as far as that shows; empty where it does not."""
        seconds, steps = time.monotonic() - self._began, job.steps_done - self._steps_before
        if job.state is not State.RUNNING or not job.steps or steps <= 0 or seconds < 1:
            return ""
        return f"about {text.duration(max(0.0, (job.steps - job.steps_done) / (steps / seconds)))} left"
