"""Commands that use what finished jobs have found: compare, recheck, receipt."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.commands.changes import Change, IdsArgument, change_each
from gradyard.cli.commands.jobs import WaitOption
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.completion import job_ids
from gradyard.cli.grammar.ids import IdArgument
from gradyard.cli.grammar.options import LONG_RETRY_SECONDS, CommandOptions, asks_the_service, print_json
from gradyard.cli.job_details import CURVE_HEIGHT, WIDEST
from gradyard.cli.live.follow_jobs import follow_jobs
from gradyard.cli.output.comparison import (
    Compared,
    as_json,
    coefficients,
    compared,
    differing,
    figures_table,
    metrics,
    values_table,
)
from gradyard.cli.output.loss_chart import curves
from gradyard.cli.terminal import console, print_table
from gradyard.client.client import Client
from gradyard.client.exports.whole_file import written_whole
from gradyard.jobs.evidence.canonical_json import canonical
from gradyard.jobs.evidence.rechecks import RecheckState
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import Job

FEWEST, MOST = 2, 10
STYLES = ("cyan", "yellow", "green", "magenta", "red", "blue", "bright_cyan", "bright_yellow", "bright_green", "white")

ComparedArgument = Annotated[
    list[str], typer.Argument(metavar="ID ID...", help="The ids of two to ten jobs.", autocompletion=job_ids)
]
PngOption = Annotated[
    Path | None, typer.Option("--png", metavar="FILE", help="Write the curves as a picture; needs gradyard[plot].")
]


@asks_the_service
def compare(options: CommandOptions, ids: ComparedArgument, png: PngOption = None) -> None:
    """Compare jobs: their loss curves over one another, figures, times, parameters that differ, and coefficients.

    The succeeded job with the lowest last loss is marked as the best.

    gradyard compare ID ID

    gradyard compare $(gradyard jobs --batch BATCH --sort loss_last -n 4 --ids) --png losses.png
    """
    if not FEWEST <= len(ids) <= MOST:
        raise BadUsage(f"compare: name {FEWEST} to {MOST} jobs, not {len(ids)}")
    if png is not None:
        from gradyard.cli.output.loss_picture import check_that_it_can_be_drawn, draw

        check_that_it_can_be_drawn()
    with options.connect() as client:
        jobs = [client.job(each) for each in ids]
        if len({job.id for job in jobs}) < len(jobs):
            raise BadUsage("compare: one of the jobs is named twice")
        points = client.losses_of(job.id for job in jobs)
    those = compared(jobs, [points[job.id] for job in jobs])
    if png is not None:
        with written_whole(png) as file:
            draw(those, file)
        typer.echo(f"written to {png}", err=True)
    if options.as_json:
        print_json(as_json(those))
    else:
        _print(those)


def _print(those: Sequence[Compared]) -> None:
    terminal = console()
    drawn = curves({each.letter: (each.steps, each.losses) for each in those},
                   width=min(terminal.width, WIDEST), height=CURVE_HEIGHT + 6)  # fmt: skip
    for line in drawn:
        colored = Text(line)
        for each, style in zip(those, STYLES, strict=False):
            colored.highlight_regex(each.letter, style)
        terminal.print(colored)
    typer.echo()
    print_table(figures_table(those))
    tables = {"parameter": differing(those), "coefficient": coefficients(those), "metric": metrics(those)}
    for heading, rows in tables.items():
        if rows:
            typer.echo()
            print_table(values_table(heading, rows, those))
    for each in those:
        if not len(each.losses):
            typer.echo(f"{each.letter}: {text.why_no_losses(each.job)}", err=True)


@asks_the_service
def recheck(options: CommandOptions, ids: IdsArgument = None, wait: WaitOption = False) -> None:
    """Train finished jobs once more, to compare every bit with the first time; print the new ids.

    With --wait it says what came of it, and exits with 0 where all are the same, else with 1.

    gradyard recheck ID --wait
    """
    if not (wait and ids):
        change_each(options, "recheck", ids, _recheck)
        return
    with options.connect(LONG_RETRY_SECONDS) as client:
        jobs = [client.recheck(each) for each in ids]
        follow_jobs(client, jobs, console(stderr=True))
        jobs = [client.job(job.id) for job in jobs]
    found = [_verdict(job) for job in jobs]
    if options.as_json:
        print_json([fields for _, fields in found])
    else:
        typer.echo("".join(f"{line}\n" for line, _ in found), nl=False)
    if any(fields.get("state") != RecheckState.SAME for _, fields in found):
        raise typer.Exit(1)


def _recheck(client: Client, job_id: str) -> Change:
    job = client.recheck(job_id)
    return Change(job.id, {"id": job.id, "recheck_of": job.recheck_of})


def _verdict(job: Job) -> tuple[str, dict[str, Any]]:
    """What a recheck has shown: as a line, and as fields."""
    shown: dict[str, Any] = dict(job.recheck) if job.recheck else {}
    return one_line(f"{job.recheck_of} {shown.get('state')}: {shown.get('message')}"), {"id": job.id} | shown


@asks_the_service
def receipt(options: CommandOptions, job_id: IdArgument) -> None:
    """Print the receipt of a finished job: hashes of its spec, data, versions and result, as canonical JSON.

    How to check one without gradyard: docs/receipts.md

    gradyard receipt ID > receipt.json
    """
    with options.connect() as client:
        found = client.receipt(job_id)
    typer.echo(canonical(found.as_json()), nl=False)
