"""Commands for the service itself: stages, workers, queues, drain, undrain."""

from typing import Annotated

import typer
from rich.console import Console

from gradyard.cli.errors import BadUsage
from gradyard.cli.job_details import stage_details
from gradyard.cli.options import JsonOption, KeyOption, StateDirOption, UrlOption, connect, print_json
from gradyard.cli.tables import queues_table, refused_text, stages_table, workers_table
from gradyard.cli.terminal import console, print_table
from gradyard.shapes import Worker

PANEL = "The service"

NameArgument = Annotated[str | None, typer.Argument(metavar="NAME", help="Show this stage with all of its parameters.")]

ActionArgument = Annotated[str | None, typer.Argument(metavar="pause|resume", help="What to do with the queue.")]
QueueArgument = Annotated[str | None, typer.Argument(metavar="QUEUE", help="cpu or gpu.")]
TargetArgument = Annotated[
    str,
    typer.Argument(metavar="HOST|SLOT", help="A host, SLOT@HOST, a slot of every host, or the UUID of a GPU."),
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="The reason, shown with the jobs that wait.")]


def register(app: typer.Typer) -> None:
    """Adds these commands to `app`."""
    app.command(rich_help_panel=PANEL)(stages)
    app.command(rich_help_panel=PANEL)(workers)
    for command in (queues, drain, undrain):
        app.command(rich_help_panel=PANEL)(command)


def stages(
    name: NameArgument = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """List the stages that can be trained, or the parameters of one.

    gradyard stages

    gradyard stages optim

    gradyard stages optim --json    (with the JSON Schema of the parameters)
    """
    with connect(url, key, state_dir) as client:
        if name is not None:
            stage = client.stage(name)
            print_json(stage.as_json()) if as_json else console().print(stage_details(stage))
            return
        found, refused = client.stages(), client.refused_stages()
    print_json([stage.as_json() for stage in found]) if as_json else print_table(stages_table(found))
    if refused:
        Console(stderr=True).print(refused_text(refused), soft_wrap=True)


def workers(
    as_json: JsonOption = False, url: UrlOption = None, key: KeyOption = None, state_dir: StateDirOption = None
) -> None:
    """List the worker slots with their host, device and state."""
    with connect(url, key, state_dir) as client:
        found = client.workers()
    if found or as_json:
        _print_workers(found, as_json)
    else:
        typer.echo("no worker has reported yet; `gradyard worker` starts workers")


def queues(
    action: ActionArgument = None,
    name: QueueArgument = None,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """List the queues, or pause or resume one. Jobs of a paused queue wait; running jobs go on.

    gradyard queues

    gradyard queues pause gpu --reason "driver upgrade"

    gradyard queues resume gpu
    """
    if action not in (None, "pause", "resume") or (action is None) != (name is None):
        raise BadUsage("write `gradyard queues`, `gradyard queues pause QUEUE` or `gradyard queues resume QUEUE`")
    with connect(url, key, state_dir) as client:
        if action == "pause":
            client.pause(str(name), reason=reason)
        elif action == "resume":
            client.resume(str(name))
        found = client.queues()
    print_json([queue.as_json() for queue in found]) if as_json else print_table(queues_table(found))


def drain(
    name: TargetArgument,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Drain a host or slot: it finishes what it trains and claims nothing more, also after a restart.

    gradyard drain node-7 --reason "new disk"

    gradyard drain gpu-3@node-7
    """
    with connect(url, key, state_dir) as client:
        found = client.drain(name, reason=reason)
    _print_workers(found, as_json)


def undrain(
    name: TargetArgument,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Let a drained host or slot claim jobs again.

    gradyard undrain node-7
    """
    with connect(url, key, state_dir) as client:
        found = client.undrain(name)
    _print_workers(found, as_json)


def _print_workers(workers: list[Worker], as_json: bool) -> None:
    print_json([worker.as_json() for worker in workers]) if as_json else print_table(workers_table(workers))
