"""The command that submits a job: submit."""

from collections.abc import Iterable
from typing import Annotated

import typer

from gradyard.cli import text
from gradyard.cli.arguments.data import DataOption, XOption, YOption, with_data
from gradyard.cli.arguments.spec import dependencies_from, spec_from
from gradyard.cli.arguments.sweep import refuse_several
from gradyard.cli.commands.live.watching import wait_and_report
from gradyard.cli.grammar.completion import job_ids, stage_names
from gradyard.cli.grammar.options import LONG_RETRY_SECONDS, CommandOptions, asks_the_service, print_json
from gradyard.shapes import JobWarning

FileArgument = Annotated[
    str | None, typer.Argument(metavar="FILE", help="A JSON file with the spec, or a stage's name; - reads stdin.")
]
StageOption = Annotated[
    str | None,
    typer.Option("--stage", help="The stage to train; see `gradyard stages`.", autocompletion=stage_names),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a parameter, as JSON or text; repeatable.",
    ),
]
WaitOption = Annotated[
    bool, typer.Option("--wait", "-w", help="Wait until the job is finished, and show its progress.")
]
AfterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--after",
        metavar="ID",
        help="A job or batch that must succeed before; else this fails as well. Repeatable.",
        autocompletion=job_ids,
    ),
]
AfterAnyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--after-any",
        metavar="ID",
        help="A job or batch that must have ended before, in any way. Repeatable.",
        autocompletion=job_ids,
    ),
]
IdempotencyKeyOption = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key", metavar="TEXT", help="Submitting again with the same key and spec gives the same job."
    ),
]
PrecedenceOption = Annotated[
    int, typer.Option("--precedence", help="-100 to 100: before or after the work of all projects. For operators.")
]
CheckOption = Annotated[
    bool,
    typer.Option("--check", help="Check it, show it with every default, submit no job. A file of --data is uploaded."),
]


@asks_the_service
def submit(
    options: CommandOptions,
    file: FileArgument = None,
    stage: StageOption = None,
    assignments: SetOption = None,
    data: DataOption = None,
    x: XOption = None,
    y: YOption = None,
    after: AfterOption = None,
    after_any: AfterAnyOption = None,
    wait: WaitOption = False,
    check: CheckOption = False,
    idempotency_key: IdempotencyKeyOption = None,
    precedence: PrecedenceOption = 0,
) -> None:
    """Submit a job and print its id.

    gradyard submit optim --set learning_rate=1e-3 --wait

    gradyard submit --stage numpy --set dataset.points=100 --set name=short

    gradyard submit nn --data cars.csv --x speed --y dist --set scale=standard --set learning_rate=auto

    gradyard submit spec.json --set seed=7 --json

    gradyard submit evaluate.json --after ID --after-any ID

    gradyard submit spec.json --check
    """
    refuse_several(assignments or [], "a job has one value; gradyard sweep --grid {} makes a job for each")
    spec = spec_from(file, stage, assignments or [])
    depends_on = dependencies_from(after or [], after_any or [])
    with options.connect(LONG_RETRY_SECONDS if wait else 10.0) as client:
        spec = with_data(client, spec, assignments or [], data, x, y)
        if check:
            checked = client.check(spec, depends_on=depends_on)
            tell_warnings(checked.warnings)
            print_json(checked.as_json() if options.as_json else checked.spec)
            return
        job = client.submit(spec, depends_on=depends_on, idempotency_key=idempotency_key, precedence=precedence)
        tell_warnings(job.warnings)
        if wait:
            if not options.as_json:
                typer.echo(job.id)
            wait_and_report(client, job, as_json=options.as_json)
        elif options.as_json:
            print_json(job.as_json())
        else:
            typer.echo(job.id)


def tell_warnings(warnings: Iterable[JobWarning]) -> None:
    """What the sender of a job should know, a line each."""
    for warning in warnings:
        typer.echo(f"warning: {text.warning(warning)}", err=True)
