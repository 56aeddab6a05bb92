"""Commands that show jobs: jobs, show, losses, logs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from gradyard.cli.grammar.completion import batch_ids, stage_names
from gradyard.cli.grammar.ids import IdArgument
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.grammar.usage import refuse_named_twice
from gradyard.cli.job_details import job_details
from gradyard.cli.lists import USUAL_LIMIT, newest, say_that_it_is_cut
from gradyard.cli.tables import jobs_table, values_table
from gradyard.cli.terminal import console, print_table
from gradyard.jobs.states import State
from gradyard.shapes import Job, JobValues

StateOption = Annotated[State | None, typer.Option("--state", help="Only jobs in this state.")]
StageOption = Annotated[
    str | None, typer.Option("--stage", help="Only jobs of this stage.", autocompletion=stage_names)
]
BatchOption = Annotated[str | None, typer.Option("--batch", help="Only jobs of this batch.", autocompletion=batch_ids)]
WhereOption = Annotated[
    str | None,
    typer.Option("--where", metavar="QUESTION", help="Only jobs of which it is true: loss_min < 9 and seed == 7"),
]
SortOption = Annotated[
    str | None, typer.Option("--sort", metavar="COLUMN", help="In this order, largest first after a minus: -loss_min")
]
NameOption = Annotated[str | None, typer.Option("--name", help="Only jobs of this name.")]
TagOption = Annotated[
    list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Only jobs with this tag; KEY alone: any value.")
]
ColumnsOption = Annotated[
    str | None, typer.Option("--columns", metavar="NAMES", help="Show these: loss_min, tags.course, first_below(9)")
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", "-n", min=1, help="How many to list. Default: 20; with --ids all.")
]
IdsOption = Annotated[bool, typer.Option("--ids", help="Print only the ids, one a line.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print every step as CSV: step,loss.")]
NpyOption = Annotated[
    Path | None, typer.Option("--npy", metavar="FILE", help="Write every step to FILE in numpy's NPY format.")
]


@asks_the_service
def list_jobs(
    options: CommandOptions,
    state: StateOption = None,
    stage: StageOption = None,
    batch: BatchOption = None,
    where: WhereOption = None,
    name: NameOption = None,
    tag: TagOption = None,
    sort: SortOption = None,
    columns: ColumnsOption = None,
    limit: LimitOption = None,
    ids: IdsOption = False,
) -> None:
    """List jobs, the newest first.

    gradyard jobs --state running

    gradyard jobs --batch BATCH --state failed

    gradyard jobs --where 'loss_min < 9 and optimizer.name == "adam" and tags.course == "w3"'

    gradyard jobs --state succeeded --sort loss_min -n 5

    gradyard jobs --tag course=w3 --columns "loss_min, learning_rate, first_below(9)"

    gradyard jobs --stage optim -n 500 --json
    """
    most = limit or (None if ids else USUAL_LIMIT)
    which: dict[str, Any] = {"where": where, "sort": sort, "state": state, "stage": stage, "batch": batch, "name": name}
    which["tags"] = tag or ()
    refuse_named_twice((each.partition("=")[0] for each in which["tags"]), "--tag ")
    with options.connect() as client:
        found: Iterator[Job | JobValues] = client.jobs(**which)
        if columns and not ids:
            found = client.jobs.values(columns, **which)
        listed, more = newest(found, most)
    if ids or options.as_json:
        _print_for_programs(listed, ids, options.as_json)
    elif listed:
        print_table(
            values_table(cast(Sequence[JobValues], listed)) if columns else jobs_table(cast(Sequence[Job], listed))
        )
    else:
        chosen = state or stage or batch or where or name or tag
        typer.echo("there are no such jobs" if chosen else "there are no jobs yet; `gradyard submit` submits one")
    if more:
        say_that_it_is_cut(len(listed), more)


def _print_for_programs(listed: Sequence[Job | JobValues], ids: bool, as_json: bool) -> None:
    if as_json:
        print_json([job.id for job in listed] if ids else [job.as_json() for job in listed])
    else:
        typer.echo("".join(f"{job.id}\n" for job in listed), nl=False)


@asks_the_service
def show(
    options: CommandOptions,
    job_id: IdArgument,
) -> None:
    """Show a job: its spec, result, loss curve and event log."""
    with options.connect() as client:
        job = client.job(job_id)
        if options.as_json:
            print_json(job.as_json())
            return
        points = client.loss_points(job_id) if job.steps_done or job.finished else None
        terminal = console()
        terminal.print(job_details(job, client.events(job_id), points, terminal))
