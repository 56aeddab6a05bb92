"""`gradyard demo`: submits the tutorial's eight stages over HTTP, follows them, and shows their results."""

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.live.follow_jobs import follow_jobs
from gradyard.cli.output.listing import SHORTEST_ID, telling_apart
from gradyard.cli.output.loss_chart import curve
from gradyard.cli.output.outcomes import outcomes
from gradyard.client.client import Client
from gradyard.client.endpoint import find_service, running_stack
from gradyard.jobs.settings import Settings, default_state_dir
from gradyard.local.errors import CannotStart
from gradyard.local.stack import Stack, StackOptions
from gradyard.processes.stop_signal import StopSignal
from gradyard.shapes import Job

STAGES = ("numpy", "tensor", "autograd", "function", "nn", "optim", "module", "dynamic")
TWO_COLUMNS_FROM = 76
WIDEST_CURVE = 76
CURVE_HEIGHT = 8


class Interrupted(Exception):
    """A stop signal arrived while the demo followed its jobs."""


def demonstrate(settings: Settings, seed: int, console: Console) -> int:
    """Runs the demo on the stack of the state folder, or on one of its own. Returns the exit status."""
    jobs: list[Job] = []
    with StopSignal() as stop:
        try:
            with _service(settings, console, stop) as (client, tend):
                _train(client, seed, console, jobs, tend)
                _report(client, jobs, console, settings)
        except (Interrupted, CannotStart):
            if not stop.requested():
                raise
            console.print(_unfinished_message(jobs, settings), soft_wrap=True)
            return 130
    return 0 if all(job.succeeded for job in jobs) else 1


@contextmanager
def _service(settings: Settings, console: Console, stop: StopSignal) -> Iterator[tuple[Client, Callable[[], None]]]:
    """A client of the running stack, or of one started for the demo, and a function to call a few times a second."""
    endpoint = running_stack(settings.state_dir)
    if endpoint is None:
        with _own_stack(settings, console, stop) as own:
            yield own
        return
    console.print(f"using the stack at {endpoint.url}")
    _, key = find_service(settings=settings)
    with Client(endpoint.url, key) as client:
        yield client, lambda: _raise_if_stopped(stop)


@contextmanager
def _own_stack(settings: Settings, console: Console, stop: StopSignal) -> Iterator[tuple[Client, Callable[[], None]]]:
    """A client of a stack that ends with the `with` statement, and a function that keeps this stack running."""
    key = settings.admin_key.get_secret_value() if settings.admin_key else None
    stack = Stack(StackOptions(settings.model_copy(update={"port": 0})), console.print, stop.requested)

    def tend() -> None:
        _raise_if_stopped(stop)
        stack.mend()

    try:
        console.print("no stack is running in the state folder: starting one for the demo")
        with Client(stack.start(), key) as client:
            console.print(f"the stack is ready at {stack.url}")
            yield client, tend
    finally:
        if stack.url:
            console.print("stopping the stack")
        stack.stop(stop.in_a_hurry)


def _raise_if_stopped(stop: StopSignal) -> None:
    if stop.requested():
        raise Interrupted


def _train(client: Client, seed: int, console: Console, jobs: list[Job], between_looks: Callable[[], None]) -> None:
    """Submits every stage with `seed` and follows the jobs; `jobs` holds the last known state of each."""
    for stage in STAGES:
        jobs.append(client.submit(stage=stage, name=f"demo {stage}", seed=seed))
        between_looks()
    console.print(f"{len(jobs)} jobs submitted, one for each stage, all with seed {seed}\n")
    follow_jobs(client, jobs, console, between_looks)


def _report(client: Client, jobs: Sequence[Job], console: Console, settings: Settings) -> None:
    console.print("", _curves(client, jobs, console), sep="\n")
    console.print(outcomes(jobs, console.width), "")  # last: on most terminals the curves scroll away
    history = sum(1 for _ in client.jobs())
    option, command = _option(settings.state_dir), text.command_as_called()
    job_id = jobs[-1].id[: telling_apart((job.id for job in jobs), SHORTEST_ID)]
    lines = [f"The database now holds {text.jobs(history)}. To see them again:"]
    if not _is_up_without_us(settings):
        lines += [f"  {command} up{option}", "and in another terminal:"]
    lines += [f"  {command} jobs{option}", f"  {command} show {job_id}{option}"]
    console.print("\n".join(lines), soft_wrap=True)  # a command stays one line, so that it can be copied


def _is_up_without_us(settings: Settings) -> bool:
    endpoint = running_stack(settings.state_dir)
    return endpoint is not None and endpoint.pid != os.getpid()


def _curves(client: Client, jobs: Sequence[Job], console: Console) -> Table:
    """The loss curves of all jobs, in two columns if the terminal is wide enough."""
    columns = 2 if console.width >= TWO_COLUMNS_FROM else 1
    width = min(console.width // columns - 3, WIDEST_CURVE)
    grid = Table.grid(padding=(0, 3, 1, 0))
    drawn = [_drawing(client, job, width) for job in jobs]
    for first in range(0, len(drawn), columns):
        grid.add_row(*drawn[first : first + columns])
    return grid


def _drawing(client: Client, job: Job, width: int) -> Text:
    steps, losses = client.loss_points(job.id)
    drawn = curve(losses, steps=steps, width=width, height=CURVE_HEIGHT)
    lines = drawn if len(losses) else [text.why_no_losses(job)]
    return Text.assemble((f"{job.stage}: loss\n", "bold"), "\n".join(lines))


def _unfinished_message(submitted: Sequence[Job], settings: Settings) -> str:
    unfinished = sum(not job.finished for job in submitted)
    if not submitted:
        return "interrupted before a job was submitted"
    if not unfinished:
        return "interrupted; every submitted job is finished"
    jobs = "1 job is" if unfinished == 1 else f"{unfinished} jobs are"
    trains = f"`{text.command_as_called()} up{_option(settings.state_dir)}` trains"
    if _is_up_without_us(settings):
        trains = "the stack goes on with"
    return f"interrupted; {jobs} not finished and not cancelled: {trains} {'it' if unfinished == 1 else 'them'}"


def _option(state_dir: Path) -> str:
    return "" if state_dir == default_state_dir() else f" --state-dir {shlex.quote(str(state_dir))}"
