"""The command that submits a batch and shows the best of its jobs: sweep."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from gradyard.cli import text
from gradyard.cli.arguments.data import DataOption, XOption, YOption, with_data
from gradyard.cli.arguments.spec import dependencies_from, spec_from
from gradyard.cli.arguments.sweep import axes_from
from gradyard.cli.commands.history.best import MetricOption, ModeOption, Ranking
from gradyard.cli.commands.jobs import (
    AfterAnyOption,
    AfterOption,
    CheckOption,
    FileArgument,
    PrecedenceOption,
    SetOption,
    StageOption,
)
from gradyard.cli.commands.live.watching import BestOption, follow_and_report
from gradyard.cli.grammar.options import LONG_RETRY_SECONDS, CommandOptions, asks_the_service, print_json
from gradyard.shapes import Batch, BatchChecked

GridOption = Annotated[
    list[str] | None,
    typer.Option("--grid", metavar="NAME=VALUES", help="Values separated by commas, or FIRST:END[:STEP]; repeatable."),
]
RandomOption = Annotated[
    list[str] | None,
    typer.Option(
        "--random", metavar="NAME=LOW:HIGH", help="A new random value for each job; LOW:HIGH:log draws on a log scale."
    ),
]
SamplesOption = Annotated[
    int, typer.Option("--samples", min=1, help="Jobs for each combination, each with its own random values.")
]
RandomSeedOption = Annotated[int, typer.Option("--random-seed", min=0, help="Another one draws other random values.")]
NameOption = Annotated[str | None, typer.Option("--name", help="The name of the batch.")]
NoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Print the id of the batch and do not wait.")]


@asks_the_service
def sweep(
    options: CommandOptions,
    file: FileArgument = None,
    stage: StageOption = None,
    assignments: SetOption = None,
    data: DataOption = None,
    x: XOption = None,
    y: YOption = None,
    grid: GridOption = None,
    random: RandomOption = None,
    samples: SamplesOption = 1,
    random_seed: RandomSeedOption = 0,
    name: NameOption = None,
    after: AfterOption = None,
    after_any: AfterAnyOption = None,
    best: BestOption = 10,
    metric: MetricOption = None,
    mode: ModeOption = None,
    no_wait: NoWaitOption = False,
    check: CheckOption = False,
    precedence: PrecedenceOption = 0,
) -> None:
    """Submit a job for every combination of values, and show the best.

    gradyard sweep --stage autograd --grid learning_rate=1e-7,3e-7,1e-6 --grid seed=0:100

    gradyard sweep spec.json --grid optimizer.momentum=0.5,0.9,0.99 --no-wait

    gradyard sweep --stage optim --random learning_rate=1e-4:1e-2:log --samples 50 --metric loss_min
    """
    spec = spec_from(file, stage, assignments or [])
    values, drawn = axes_from(grid or [], random or [], assignments or [])
    paths = [*values, *drawn]
    with options.connect(LONG_RETRY_SECONDS) as client:
        about: dict[str, Any] = {"samples": samples, "random_seed": random_seed,
                                 "depends_on": dependencies_from(after or [], after_any or [])}  # fmt: skip
        spec = with_data(client, spec, assignments or [], data, x, y)
        if check:
            _show_checked(client.check_sweep(spec, grid=values, random=drawn, **about), options)
            return
        batch = _submitted(
            lambda: client.sweep(spec, grid=values, random=drawn, name=name, precedence=precedence, **about)
        )
        if no_wait:
            print_json(batch.as_json()) if options.as_json else typer.echo(batch.id)
            return
        follow_and_report(client, batch, paths, Ranking(best, metric, mode), as_json=options.as_json)


def _show_checked(checked: BatchChecked, options: CommandOptions) -> None:
    for each in checked.warnings:
        of = f" ({text.jobs(each['count'])})" if each["count"] > 1 else ""
        typer.echo(f"warning: {text.warning(each)}{of}", err=True)
    valid = "1 job, valid" if checked.size == 1 else f"{text.jobs(checked.size)}, all valid"
    print_json(checked.as_json()) if options.as_json else typer.echo(valid)


def _submitted(submit: Callable[[], Batch]) -> Batch:
    try:
        return submit()
    except KeyboardInterrupt:
        lists = f"`{text.command_as_called()} batches` lists the batch if it was stored"
        typer.echo(f"interrupted before the service answered; {lists}", err=True)
        raise typer.Exit(130) from None
