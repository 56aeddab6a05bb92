"""Commands for curves: losses, and the metrics beside them, of one job or of several."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gradyard.cli import text
from gradyard.cli.commands.history.artifacts import write_npy
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.completion import job_ids
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.grammar.usage import refuse_named_twice
from gradyard.cli.output.curve_text import csv_of, draw, json_of
from gradyard.client.client import Client

if TYPE_CHECKING:
    from gradyard.cli.output.curve_text import Curve

JobsArgument = Annotated[
    list[str], typer.Argument(metavar="ID...", help="The ids of the jobs.", autocompletion=job_ids)
]
MetricArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="ID... [NAME]", help="Jobs, then a metric. Default: list the names.", autocompletion=job_ids
    ),
]
NameOption = Annotated[str | None, typer.Option("--name", help="The metric, where all words are ids of jobs.")]
FromOption = Annotated[
    int | None, typer.Option("--from", metavar="STEP", help="From this step on; -100: the last hundred.")
]
ToOption = Annotated[int | None, typer.Option("--to", metavar="STEP", help="Up to this step, without it.")]
PointsOption = Annotated[
    int | None, typer.Option("--points", min=2, max=100_000, help="At most so many values of each curve.")
]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print every value as CSV, with its step.")]
NpyOption = Annotated[
    Path | None, typer.Option("--npy", metavar="FILE", help="Write every value of one job to FILE in NPY format.")
]
DRAWN_POINTS = 1000
WHOLE_ID = 36  # characters


@dataclass(frozen=True)
class Wanted:
    """Which curves, which part of them, and in which form. name: of a metric; None: losses."""

    ids: list[str]
    name: str | None
    start: int | None
    stop: int | None
    points: int | None
    csv: bool
    npy: Path | None
    as_json: bool

    def check(self, command: str) -> None:
        """Raises BadUsage where that cannot be given."""
        refuse_named_twice(self.ids)
        if self.csv + self.as_json + (self.npy is not None) > 1:
            raise BadUsage(f"{command}: choose one of --csv, --npy and --json")
        if self.npy is not None and (self.points is not None or len(self.ids) > 1):
            raise BadUsage(f"{command}: --npy writes every value of one job; for several, or --points, take --csv")

    def of(self, client: Client) -> "dict[str, Curve]":
        """The curves by job: every value to be written, else as many points as can be drawn."""
        written = self.csv or self.as_json or self.npy is not None
        if self.points is None and (written or (self.name is not None and len(self.ids) == 1)):
            return {_whole_id(client, job_id): self._every_value(client, job_id) for job_id in self.ids}
        points = self.points or DRAWN_POINTS
        if self.name is not None:
            return client.metric_of(self.ids, self.name, points=points, start=self.start, stop=self.stop)
        if len(self.ids) == 1:  # as older services answer, too
            return {self.ids[0]: client.loss_points(self.ids[0], points, self.start, self.stop)}
        return client.losses_of(self.ids, points=points, start=self.start, stop=self.stop)

    def _every_value(self, client: Client, job_id: str) -> "Curve":
        if self.name is not None:
            return client.metric(job_id, self.name, self.start, self.stop)
        return client.loss_curve(job_id, self.start, self.stop)


def _whole_id(client: Client, job_id: str) -> str:
    return job_id if len(job_id) == WHOLE_ID else client.job(job_id).id


@asks_the_service
def losses(
    options: CommandOptions,
    ids: JobsArgument,
    start: FromOption = None,
    stop: ToOption = None,
    points: PointsOption = None,
    csv: CsvOption = False,
    npy: NpyOption = None,
) -> None:
    """Draw the loss curves of jobs, or export every loss, or those of a range of steps.

    gradyard losses ID

    gradyard losses ID --from -100 --csv > last.csv

    gradyard losses ID --npy losses.npy

    gradyard losses ID ID ID --points 500 --json
    """
    wanted = Wanted(ids, None, start, stop, points, csv, npy, options.as_json)
    wanted.check("losses")
    with options.connect() as client:
        _show(client, wanted)


@asks_the_service
def metrics(
    options: CommandOptions,
    words: MetricArgument,
    name: NameOption = None,
    start: FromOption = None,
    stop: ToOption = None,
    points: PointsOption = None,
    csv: CsvOption = False,
    npy: NpyOption = None,
) -> None:
    """List the curves of a job beside its loss, or draw or export one of them, of one job or of several.

    gradyard metrics ID

    gradyard metrics ID validation_loss --npy validation.npy

    gradyard metrics ID ID ID validation_loss --csv
    """
    ids = words if name is not None or len(words) == 1 else words[:-1]
    if name is None and len(words) > 1:
        name = words[-1]
    with options.connect() as client:
        if name is None:
            _list_names(client, ids[0], options.as_json)
            return
        wanted = Wanted(ids, name, start, stop, points, csv, npy, options.as_json)
        wanted.check("metrics")
        _show(client, wanted)


def _list_names(client: Client, job_id: str, as_json: bool) -> None:
    names = client.metrics(job_id)
    print_json(names) if as_json else typer.echo("".join(f"{each}\n" for each in names), nl=False)
    if not names:
        typer.echo("no metrics", err=True)


def _show(client: Client, wanted: Wanted) -> None:
    curves, several = wanted.of(client), len(wanted.ids) > 1
    if wanted.npy is not None:
        ((_, values),) = curves.values()
        write_npy(values, wanted.npy)
    elif wanted.csv:
        sys.stdout.writelines(csv_of(curves, "loss" if wanted.name is None else "value", several=several))
    elif wanted.as_json:
        typer.echo(json_of(curves, "losses" if wanted.name is None else "values", several=several))
    else:
        drawn = {job_id: each for job_id, each in curves.items() if wanted.name is not None or len(each[1])}
        draw(drawn, several=several)
        for job_id in curves.keys() - drawn.keys():
            before = f"{job_id}: " if several else ""
            typer.echo(f"{before}{text.why_no_losses(client.job(job_id))}", err=True)
