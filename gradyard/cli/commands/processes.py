"""Commands that start the service's processes: up, demo, worker, maintain, api."""

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gradyard.cli.chosen_database import with_a_database
from gradyard.cli.errors import BadUsage
from gradyard.cli.extras import OF_MAINTENANCE, needs_extra, require
from gradyard.cli.grammar.options import CommandOptions, runs_here
from gradyard.jobs.settings import Settings
from gradyard.local import launch

if TYPE_CHECKING:
    from gradyard.local.stack import StackOptions

LOOK_SECONDS = 0.2

HostOption = Annotated[
    str | None, typer.Option("--host", help="The address to listen on; else GRADYARD_HOST, else 127.0.0.1.")
]
PortOption = Annotated[
    int | None,
    typer.Option("--port", min=0, max=65535, help="The port to listen on; else PORT, else 8000. 0: any free port."),
]
CpuSlotsOption = Annotated[
    int | None, typer.Option("--cpu-slots", min=0, help="How many CPU slots; each trains one pack at a time.")
]
GpusOption = Annotated[
    str | None, typer.Option("--gpus", metavar="all|none|0,2|UUID", help="The GPUs to use, one worker for each.")
]
SlotsPerGpuOption = Annotated[
    int | None, typer.Option("--slots-per-gpu", min=1, help="Workers that share each GPU and its memory. Default: 1.")
]
QueuesOption = Annotated[str | None, typer.Option("--queues", help="cpu, gpu or cpu,gpu. Default: both.")]
PoolOption = Annotated[str | None, typer.Option("--pool", help="The name of this pool, which jobs can ask for.")]
ApiOnlyOption = Annotated[bool, typer.Option("--api-only", help="Start no workers; they run on other hosts.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="The seed of all eight jobs.")]
ProcessesOption = Annotated[
    int | None,
    typer.Option("--processes", min=1, help="API processes. Default: one on SQLite, else one a core, up to four."),
]


@runs_here
def up(
    options: CommandOptions,
    host: HostOption = None,
    port: PortOption = None,
    cpu_slots: CpuSlotsOption = None,
    gpus: GpusOption = None,
    slots_per_gpu: SlotsPerGpuOption = None,
    api_only: ApiOnlyOption = False,
) -> None:
    """Start everything on this machine; Ctrl-C stops it.

    That is Redis, the tables, the API and the workers.

    gradyard up

    gradyard up --port 0 --state-dir ./state --cpu-slots 1 --gpus none

    DATABASE_URL=postgresql://user@host/name gradyard up --api-only
    """
    from gradyard.local.stack import StackOptions

    require("server", *([] if api_only else ["worker"]))
    settings = options.settings(host=host, port=port)
    raise typer.Exit(_run(StackOptions(settings, cpu_slots, gpus, slots_per_gpu, api_only)))


def _run(options: "StackOptions") -> int:
    from gradyard.local.errors import CannotStart
    from gradyard.local.stack import Stack
    from gradyard.processes.private_memory import keep_memory_private
    from gradyard.processes.stop_signal import StopSignal

    keep_memory_private()
    with StopSignal() as stop:
        stack = Stack(options, _say, stop.requested)
        try:
            typer.echo(f"ready: {stack.start()}")
            _say(f"the state is in {options.settings.state_dir}; Ctrl-C stops everything")
            while not stop.wait(LOOK_SECONDS):
                stack.mend()
        except CannotStart:
            if not stop.requested():  # a start that was interrupted fails in many ways
                raise
        finally:
            if stop.requested():
                _say("stopping; press Ctrl-C again to kill what still runs")
            stack.stop(stop.in_a_hurry)
    return 130 if stop.by_ctrl_c() else 0


@runs_here
@needs_extra("server", "worker")
def demo(options: CommandOptions, seed: SeedOption = 0) -> None:
    """Train the tutorial's eight stages over HTTP, and show the results.

    It uses the stack that is up, or starts one and stops it afterwards.
    """
    from gradyard.cli.demo import demonstrate
    from gradyard.cli.terminal import console
    from gradyard.processes.private_memory import keep_memory_private

    keep_memory_private()
    raise typer.Exit(demonstrate(options.settings(), seed, console()))


@runs_here
@needs_extra("worker")
def worker(
    options: CommandOptions,
    cpu_slots: CpuSlotsOption = None,
    gpus: GpusOption = None,
    slots_per_gpu: SlotsPerGpuOption = None,
    queues: QueuesOption = None,
    pool: PoolOption = None,
) -> None:
    """Start the workers of this host.

    Slots on CPU cores, and one for each GPU. Uses DATABASE_URL and REDIS_URL.

    gradyard worker --cpu-slots 2 --gpus none

    gradyard worker --queues gpu --gpus 0,2 --pool big
    """
    command = launch.pool_command(cpu_slots, gpus, queues, pool, slots_per_gpu)
    _become(command, launch.worker_environment(with_a_database(options.settings())))


@runs_here
@needs_extra("server", packages=OF_MAINTENANCE)
def maintain(options: CommandOptions) -> None:
    """Start one maintenance loop; every pool of workers has one already."""
    _become(launch.maintenance_command(), launch.worker_environment(with_a_database(options.settings())))


@runs_here
@needs_extra("server")
def api(
    options: CommandOptions, host: HostOption = None, port: PortOption = None, processes: ProcessesOption = None
) -> None:
    """Start the API alone.

    The tables must be up to date. Uses DATABASE_URL and REDIS_URL.

    gradyard api --host 0.0.0.0 --port 80    (needs GRADYARD_ADMIN_KEY, the first key)
    """
    settings = options.settings(host=host, port=port)
    launch.refuse_open_door(settings)
    command = launch.api_command(settings, processes=_process_count(processes, settings))
    with_a_database(settings)
    _become(command, launch.api_environment(settings), launch.API_FOLDER)


def _process_count(processes: int | None, settings: Settings) -> int:
    if settings.database.startswith("sqlite"):
        if processes not in (None, 1):
            raise BadUsage(f"--processes {processes}: SQLite allows one API process; use PostgreSQL for more")
        return 1
    return processes or min(4, os.cpu_count() or 1)


def _become(command: list[str], environment: dict[str, str], folder: Path | None = None) -> NoReturn:
    if folder is not None:
        os.chdir(folder)
    os.execve(command[0], command, environment)


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # a closed terminal must not prevent the stop
        typer.echo(f"gradyard: {line}", err=True)
