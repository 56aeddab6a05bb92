"""Commands that start the service's processes: up, demo, worker, maintain, api."""

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gradyard.cli.errors import BadUsage
from gradyard.cli.options import StateDirOption, settings_for
from gradyard.jobs.settings import Settings
from gradyard.local import launch

if TYPE_CHECKING:
    from gradyard.local.stack import StackOptions

PANEL = "Processes"
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


def register(app: typer.Typer) -> None:
    """Adds these commands to `app`."""
    for command in (up, demo, worker, maintain, api):
        app.command(rich_help_panel=PANEL)(command)


def up(
    host: HostOption = None,
    port: PortOption = None,
    state_dir: StateDirOption = None,
    cpu_slots: CpuSlotsOption = None,
    gpus: GpusOption = None,
    api_only: ApiOnlyOption = False,
) -> None:
    """Start everything on this machine: Redis, the tables, the API and the workers. Ctrl-C stops it.

    gradyard up

    gradyard up --port 0 --state-dir ./state --cpu-slots 1 --gpus none

    DATABASE_URL=postgresql://user@host/name gradyard up --api-only
    """
    from gradyard.local.stack import StackOptions

    settings = settings_for(state_dir, host=host, port=port)
    raise typer.Exit(_run(StackOptions(settings, cpu_slots, gpus, api_only)))


def _run(options: "StackOptions") -> int:
    from gradyard.local.errors import StartInterrupted
    from gradyard.local.stack import Stack
    from gradyard.processes.stop_signal import StopSignal

    with StopSignal() as stop:
        stack = Stack(options, _say, stop.requested)
        try:
            typer.echo(f"ready: {stack.start()}")
            _say(f"the state is in {options.settings.state_dir}; Ctrl-C stops everything")
            while not stop.wait(LOOK_SECONDS):
                stack.mend()
        except StartInterrupted:
            pass
        finally:
            if stop.requested():
                _say("stopping; press Ctrl-C again to kill what still runs")
            stack.stop(stop.in_a_hurry)
    return 130 if stop.by_ctrl_c() else 0


def demo(seed: SeedOption = 0, state_dir: StateDirOption = None) -> None:
    """Train the tutorial's eight stages over HTTP, and show the results.

    It uses the stack that is up, or starts one and stops it afterwards.
    """
    from gradyard.cli.demo import demonstrate
    from gradyard.cli.terminal import console

    raise typer.Exit(demonstrate(settings_for(state_dir), seed, console()))


def worker(
    cpu_slots: CpuSlotsOption = None,
    gpus: GpusOption = None,
    slots_per_gpu: SlotsPerGpuOption = None,
    queues: QueuesOption = None,
    pool: PoolOption = None,
) -> None:
    """Start the workers of this host: slots on CPU cores, one for each GPU. Uses DATABASE_URL and REDIS_URL.

    gradyard worker --cpu-slots 2 --gpus none

    gradyard worker --queues gpu --gpus 0,2 --pool big
    """
    _become(launch.pool_command(cpu_slots, gpus, queues, pool, slots_per_gpu), os.environ | launch.import_path())


def maintain() -> None:
    """Start one maintenance loop; every pool of workers has one already."""
    _become(launch.maintenance_command(), os.environ | launch.import_path())


def api(host: HostOption = None, port: PortOption = None, processes: ProcessesOption = None) -> None:
    """Start the API alone, on tables that are up to date. Uses DATABASE_URL and REDIS_URL.

    gradyard api --host 0.0.0.0 --port 80    (needs GRADYARD_ADMIN_KEY, the first key)
    """
    settings = settings_for(None, host=host, port=port)
    launch.refuse_open_door(settings)
    command = launch.api_command(settings, processes=_process_count(processes, settings))
    _become(command, launch.environment(settings), launch.API_FOLDER)


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
