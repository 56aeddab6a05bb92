"""The data of a job from `--data`, `--x` and `--y`: a file on this machine, which is sent in, or one of the service."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from gradyard.cli.errors import BadUsage
from gradyard.client.client import Client
from gradyard.shapes import File

DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="FILE", help="Train on a file: CSV, NPY, NPZ or Parquet, or the id of one sent in."),
]
XOption = Annotated[str | None, typer.Option("--x", metavar="COLUMN", help="The column of x, for --data.")]
YOption = Annotated[str | None, typer.Option("--y", metavar="COLUMN", help="The column of y, for --data.")]


def with_data(
    client: Client, spec: dict[str, Any], assignments: Iterable[str], data: str | None, x: str | None, y: str | None
) -> dict[str, Any]:
    """The spec with the data that the options name; as it is where they name none.

    A file on this machine is sent in first. Raises BadUsage where columns are named without a file, where a `--set`
    gives the data as well, and where the columns are not plain.
    """
    if data is None:
        if x is not None or y is not None:
            raise BadUsage("--x and --y name columns of a file; name the file as well: --data FILE")
        return spec
    if given := next((each for each in assignments if each.partition("=")[0].split(".")[0] == "dataset"), None):
        raise BadUsage(f"--set {given} and --data give the same parameter; leave one of them out")
    file = _file(client, data)
    if x is None or y is None:
        x, y = _only_two(file, x, y)
    return {**spec, "dataset": file.dataset(x, y)}


def _file(client: Client, data: str) -> File:
    try:
        if Path(data).exists():
            return client.upload(data)
    except OSError as error:
        raise BadUsage(f"--data {data} cannot be read ({error.strerror or error})") from None
    if Path(data).suffix or "/" in data:
        raise BadUsage(f"--data {data}: there is no such file")
    return client.file(data)


def _only_two(file: File, x: str | None, y: str | None) -> tuple[str, str]:
    """The two columns where the file has no others of numbers. BadUsage where they must be named."""
    numeric = [column.name for column in file.columns if column.is_numeric]
    if x is None and y is None and len(numeric) == 2:
        return numeric[0], numeric[1]
    columns = f"; its columns of numbers are {', '.join(numeric)}" if numeric else "; it has no columns of numbers"
    raise BadUsage(f"name the columns with --x and --y{columns}")
