"""Commands that look at the service itself: stages, workers, queues."""

from typing import Annotated

import typer
from rich.console import Console

from gradyard.cli.errors import BadUsage
from gradyard.cli.job_details import stage_card
from gradyard.cli.options import JsonOption, KeyOption, StateDirOption, UrlOption, connect, print_json
from gradyard.cli.tables import console, queues_table, refused_text, stages_table, workers_table
from gradyard.client.models import Worker

PANEL = "The service"

NameArgument = Annotated[str | None, typer.Argument(metavar="NAME", help="One stage, with all of its parameters.")]

ActionArgument = Annotated[str | None, typer.Argument(metavar="pause|resume", help="What to do with a queue.")]
QueueArgument = Annotated[str | None, typer.Argument(metavar="QUEUE", help="cpu or gpu.")]
PlaceArgument = Annotated[str, typer.Argument(metavar="HOST|SLOT", help="A host, SLOT@HOST, or a slot of every host.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why, for those who wait.")]


def register(app: typer.Typer) -> None:
    """Adds this family to the command."""
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
            print_json(stage.as_json()) if as_json else console().print(stage_card(stage))
            return
        found, refused = client.stages(), client.refused_stages()
    print_json([stage.as_json() for stage in found]) if as_json else console().print(stages_table(found))
    if refused:
        Console(stderr=True).print(refused_text(refused), soft_wrap=True)


def workers(
    as_json: JsonOption = False, url: UrlOption = None, key: KeyOption = None, state_dir: StateDirOption = None
) -> None:
    """List the worker slots: where they are, their device, and what they do."""
    with connect(url, key, state_dir) as client:
        found = client.workers()
    if found or as_json:
        _print_workers(found, as_json)
    else:
        typer.echo("no worker has reported yet; `gradyard worker` starts some")


def queues(
    action: ActionArgument = None,
    name: QueueArgument = None,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """List the queues, or pause or resume one: its jobs wait, those in training go on.

    gradyard queues

    gradyard queues pause gpu --reason "driver upgrade"

    gradyard queues resume gpu
    """
    if action not in (None, "pause", "resume") or (action is None) != (name is None):
        raise BadUsage("it is `gradyard queues`, `gradyard queues pause QUEUE` or `gradyard queues resume QUEUE`")
    with connect(url, key, state_dir) as client:
        if action == "pause":
            client.pause(str(name), reason=reason)
        elif action == "resume":
            client.resume(str(name))
        found = client.queues()
    print_json([queue.as_json() for queue in found]) if as_json else console().print(queues_table(found))


def drain(
    name: PlaceArgument,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Let a host or a slot end what it trains and take nothing more, also when it is started again.

    gradyard drain node-7 --reason "new disk"

    gradyard drain gpu-3@node-7
    """
    with connect(url, key, state_dir) as client:
        found = client.drain(name, reason=reason)
    _print_workers(found, as_json)


def undrain(
    name: PlaceArgument,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Let a drained host or slot take jobs again.

    gradyard undrain node-7
    """
    with connect(url, key, state_dir) as client:
        found = client.undrain(name)
    _print_workers(found, as_json)


def _print_workers(workers: list[Worker], as_json: bool) -> None:
    print_json([worker.as_json() for worker in workers]) if as_json else console().print(workers_table(workers))
