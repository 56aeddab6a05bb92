"""Commands that count and summarize the jobs of a question."""

from datetime import datetime
from typing import Annotated, Any

import typer

from gradyard.cli import text
from gradyard.cli.commands.inspect_jobs import BatchOption, StageOption, StateOption, WhereOption
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.output.listing import Column, Listing
from gradyard.cli.terminal import print_table
from gradyard.shapes import JobGroups

GroupOption = Annotated[
    list[str] | None,
    typer.Option("--group", "-g", metavar="COLUMN", help="A group for each of its values; repeatable."),
]
OfOption = Annotated[list[str] | None, typer.Option("--of", metavar="COLUMN", help="Measure this column; repeatable.")]
FIGURES = ("min", "median", "p95", "max", "mean")


@asks_the_service
def count(
    options: CommandOptions,
    where: WhereOption = None,
    state: StateOption = None,
    stage: StageOption = None,
    batch: BatchOption = None,
) -> None:
    """Print how many jobs there are, or satisfy a question.

    gradyard jobs count --where 'loss_min < 9 and stage == "nn"'
    """
    with options.connect() as client:
        found = client.jobs.count(where, state=state, stage=stage, batch=batch)
    if options.as_json:
        print_json({"count": found})
    else:
        typer.echo(found)


@asks_the_service
def summary(
    options: CommandOptions,
    where: WhereOption = None,
    group: GroupOption = None,
    of: OfOption = None,
    state: StateOption = None,
    stage: StageOption = None,
    batch: BatchOption = None,
) -> None:
    """Put jobs into groups, and print of each how many there are, and the median and other figures of columns.

    gradyard jobs summary --batch BATCH --group learning_rate --of loss_min

    gradyard jobs summary --where 'state == "succeeded"' --group stage --group optimizer.name --of train_seconds
    """
    which = {"state": state, "stage": stage, "batch": batch}
    with options.connect() as client:
        found = client.jobs.summary(where, group=group or [], of=of or [], **which)
    if options.as_json:
        print_json(found.as_json())
    elif not any(each.count for each in found.groups):
        typer.echo("there are no such jobs")
    else:
        print_table(_table(found))
    if found.more:
        typer.echo(f"the first {len(found.groups):,} groups; narrow the question to see others", err=True)


def _table(found: JobGroups) -> Listing:
    """One line for each group; of several columns that are measured, one line for each of them."""
    names, measured = list(found.groups[0].group), list(found.groups[0].figures)
    listing = Listing(
        *(Column(name) for name in names), *([Column("of")] if len(measured) > 1 else []), Column("jobs", right=True),
        *(Column(figure, drop, right=True) for drop, figure in enumerate(FIGURES) if measured),
    )  # fmt: skip
    for group in found.groups:
        values = [_shown(group.group[name]) for name in names]
        if not measured:
            listing.add(*values, text.count(group.count))
        for column in measured:
            figures = group.figures[column]
            cells = [_shown(figures.get(figure)) for figure in FIGURES]
            listing.add(*values, *([column] if len(measured) > 1 else []), text.count(group.count), *cells)
    return listing


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return text.clock(value)
    if value is None or isinstance(value, str):
        return "-" if value is None else value
    return text.number(value) if isinstance(value, float) else str(value)
