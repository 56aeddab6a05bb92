"""Commands that write many jobs with their curves: those of a batch, or those of which something is true."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gradyard.cli.commands.history.best import BatchArgument
from gradyard.cli.commands.inspect_jobs import BatchOption, WhereOption
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.options import LONG_RETRY_SECONDS, CommandOptions, asks_the_service
from gradyard.client.client import Client
from gradyard.client.exports.whole_file import written_whole
from gradyard.jobs.exports import ENDINGS, Curves, Form

FormOption = Annotated[Form | None, typer.Option("--form", help="In this form. Default: that of FILE's ending.")]
CurvesOption = Annotated[
    Curves | None,
    typer.Option("--curves", help="Leave losses out, a row for each loss, or a list of them in each job's row."),
]
CsvOption = Annotated[bool, typer.Option("--csv", help="CSV with a line for each loss: job,step,loss.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write to this file. Default: stdout.")
]
BINARY = (Form.PARQUET, Form.ARROW)


@asks_the_service
def export_batch(
    options: CommandOptions,
    batch: BatchArgument,
    where: WhereOption = None,
    form: FormOption = None,
    curves: CurvesOption = None,
    as_csv: CsvOption = False,
    out: OutOption = None,
) -> None:
    """Export every job of a batch with its parameters, its result and its losses.

    Without --form and --curves one JSON object a line, with all losses, or with --csv a line for each loss.

    gradyard export BATCH --curves list -o curves.parquet

    gradyard export BATCH --csv --out curves.csv
    """
    if as_csv + options.as_json + (form is not None) > 1:
        raise BadUsage("export: choose one of --csv, --json and --form")
    chosen = Form.CSV if as_csv else form or _form_of(out) or Form.NDJSON
    lists = curves is None and chosen in BINARY
    with options.connect(LONG_RETRY_SECONDS) as client:
        _write(client, batch, where, chosen, Curves.LIST if lists else curves, out)


@asks_the_service
def export_jobs(
    options: CommandOptions,
    where: WhereOption = None,
    batch: BatchOption = None,
    form: FormOption = None,
    curves: CurvesOption = None,
    out: OutOption = None,
) -> None:
    """Export jobs with their parameters, tags and figures; with --curves also their losses.

    gradyard jobs export --where 'loss_min < 9 and tags.course == "w3"' -o jobs.csv

    gradyard jobs export --where 'stage == "optim"' --curves list -o curves.parquet

    gradyard jobs export --form ndjson | head
    """
    if options.as_json and form is not None:
        raise BadUsage("export: choose one of --json and --form")
    with options.connect(LONG_RETRY_SECONDS) as client:
        _write(client, batch, where, form or _form_of(out) or Form.NDJSON, curves or Curves.NONE, out)


def _form_of(out: Path | None) -> Form | None:
    return None if out is None else ENDINGS.get(out.suffix.lower())


def _write(
    client: Client, batch: str | None, where: str | None, form: Form, curves: Curves | None, out: Path | None
) -> None:
    if out is not None:
        with written_whole(out) as file:
            file.writelines(client.export_blocks(batch, where=where, form=form, curves=curves))
    elif form not in BINARY:
        for line in client.export_lines(batch, where=where, csv=form is Form.CSV, curves=curves):
            typer.echo(line)
    elif sys.stdout.isatty():
        raise BadUsage(f"export: {form} is not for a terminal; write it to a file with --out")
    else:
        for block in client.export_blocks(batch, where=where, form=form, curves=curves):
            sys.stdout.buffer.write(block)
