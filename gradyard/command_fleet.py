"""Commands that look at the service itself: stages, workers, queues."""

from typing import Annotated

import typer
from rich.console import Console

from gradyard.cards import stage_card
from gradyard.command_options import JsonOption, KeyOption, StateDirOption, UrlOption, connect, print_json
from gradyard.tables import console, queues_table, refused_text, stages_table, workers_table

PANEL = "The service"

NameArgument = Annotated[str | None, typer.Argument(metavar="NAME", help="One stage, with all of its parameters.")]


def register(app: typer.Typer) -> None:
    """Adds this family to the command."""
    app.command(rich_help_panel=PANEL)(stages)
    app.command(rich_help_panel=PANEL)(workers)
    app.command(rich_help_panel=PANEL)(queues)


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
    if as_json:
        print_json([worker.as_json() for worker in found])
    elif found:
        console().print(workers_table(found))
    else:
        typer.echo("no worker has reported yet; `gradyard worker` starts some")


def queues(
    as_json: JsonOption = False, url: UrlOption = None, key: KeyOption = None, state_dir: StateDirOption = None
) -> None:
    """List the queues: how much waits in each, and who could take it."""
    with connect(url, key, state_dir) as client:
        found = client.queues()
    print_json([queue.as_json() for queue in found]) if as_json else console().print(queues_table(found))
