"""Commands for what trains: stages, queues, workers."""

from typing import Annotated

import typer

from gradyard.cli.grammar.completion import stage_names
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.job_details import stage_details
from gradyard.cli.tables import queues_table, refused_text, stages_table, workers_table
from gradyard.cli.terminal import console, print_table
from gradyard.client.client import Client
from gradyard.shapes import Worker

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of the stage.", autocompletion=stage_names)]
QueueArgument = Annotated[str, typer.Argument(metavar="QUEUE", help="cpu or gpu.")]
TargetArgument = Annotated[
    str,
    typer.Argument(metavar="HOST|SLOT", help="A host, SLOT@HOST, a slot of every host, or the UUID of a GPU."),
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="The reason, shown with the jobs that wait.")]


@asks_the_service
def list_stages(options: CommandOptions) -> None:
    """List the stages that can be trained."""
    with options.connect() as client:
        found, refused = client.stages(), client.refused_stages()
    print_json([stage.as_json() for stage in found]) if options.as_json else print_table(stages_table(found))
    if refused:
        console(stderr=True).print(refused_text(refused), soft_wrap=True)


@asks_the_service
def show_stage(options: CommandOptions, name: NameArgument) -> None:
    """Show the parameters of a stage and their defaults; `--json` has the JSON Schema.

    gradyard stages show optim
    """
    with options.connect() as client:
        stage = client.stages.get(name)
    print_json(stage.as_json()) if options.as_json else console().print(stage_details(stage))


@asks_the_service
def list_workers(options: CommandOptions) -> None:
    """List the worker slots with their host, device and state."""
    with options.connect() as client:
        found = client.workers()
    if found or options.as_json:
        _print_workers(options, found)
    else:
        typer.echo("no worker has reported yet; `gradyard worker` starts workers")


@asks_the_service
def list_queues(options: CommandOptions) -> None:
    """List the queues: what waits, and how many slots could take it."""
    with options.connect() as client:
        _print_queues(options, client)


@asks_the_service
def pause(options: CommandOptions, queue: QueueArgument, reason: ReasonOption = None) -> None:
    """Pause a queue: its jobs wait, the running ones go on.

    gradyard queues pause gpu --reason "driver upgrade"
    """
    with options.connect() as client:
        client.queues.pause(queue, reason=reason)
        _print_queues(options, client)


@asks_the_service
def resume(options: CommandOptions, queue: QueueArgument) -> None:
    """Resume a paused queue.

    gradyard queues resume gpu
    """
    with options.connect() as client:
        client.queues.resume(queue)
        _print_queues(options, client)


@asks_the_service
def drain(options: CommandOptions, name: TargetArgument, reason: ReasonOption = None) -> None:
    """Drain a host or slot: it finishes what it trains and claims nothing more, also after a restart.

    gradyard workers drain node-7 --reason "new disk"

    gradyard workers drain gpu-3@node-7
    """
    with options.connect() as client:
        found = client.workers.drain(name, reason=reason)
    _print_workers(options, found)


@asks_the_service
def undrain(options: CommandOptions, name: TargetArgument) -> None:
    """Let a drained host or slot claim jobs again.

    gradyard workers undrain node-7
    """
    with options.connect() as client:
        found = client.workers.undrain(name)
    _print_workers(options, found)


def _print_queues(options: CommandOptions, client: Client) -> None:
    found = client.queues()
    print_json([queue.as_json() for queue in found]) if options.as_json else print_table(queues_table(found))


def _print_workers(options: CommandOptions, workers: list[Worker]) -> None:
    print_json([worker.as_json() for worker in workers]) if options.as_json else print_table(workers_table(workers))
