"""Commands for results beside the curves: predictions, artifacts."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gradyard.cli import text
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.ids import IdArgument
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.tables import artifacts_table
from gradyard.cli.terminal import print_table
from gradyard.client.exports.whole_file import written_whole

if TYPE_CHECKING:
    import numpy as np

ArtifactArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The array to export. Default: list all arrays.")
]
XArgument = Annotated[list[str], typer.Argument(metavar="X...", help="Numbers; after -- they may be negative.")]
NpyOption = Annotated[Path | None, typer.Option("--npy", metavar="FILE", help="Write to FILE in numpy's NPY format.")]


@asks_the_service
def predict(options: CommandOptions, job_id: IdArgument, x: XArgument) -> None:
    """Print what the fitted model of a job says at each x, in the units of its data: x and y, a line each.

    gradyard jobs predict ID 0.5 1 -- -2.5
    """
    numbers = [_number(each) for each in x]
    with options.connect() as client:
        found = client.predict(job_id, numbers).tolist()
    if options.as_json:
        print_json({"x": numbers, "y": [None if isnan(y) else y for y in found]})
    else:
        typer.echo("".join(f"{at!r}\t{y!r}\n" for at, y in zip(numbers, found, strict=True)), nl=False)


def _number(argument: str) -> float:
    try:
        return float(argument)
    except ValueError:
        raise BadUsage(f"predict: {argument} is no number, such as 0.5 or -1e3") from None


@asks_the_service
def artifacts(
    options: CommandOptions,
    job_id: IdArgument,
    name: ArtifactArgument = None,
    npy: NpyOption = None,
) -> None:
    """List the arrays that a job returned, or export one of them.

    gradyard artifacts ID

    gradyard artifacts ID weights.0 --npy weights.npy
    """
    with options.connect() as client:
        if name is not None:
            array = client.artifact(job_id, name)
            write_npy(array, npy) if npy is not None else print_json(array.tolist())
            return
        listed = client.artifacts(job_id)
    if npy is not None:
        raise BadUsage("artifacts: --npy needs the name of one array")
    if options.as_json:
        print_json([artifact.as_json() for artifact in listed])
    elif listed:
        print_table(artifacts_table(listed))
    else:
        typer.echo("no artifacts", err=True)


def write_npy(array: "np.ndarray", file: Path) -> None:
    """Writes the array as an NPY file. Raises CannotWrite if the file cannot be written."""
    import numpy as np

    with written_whole(file) as opened:
        np.save(opened, array, allow_pickle=False)
    typer.echo(f"{text.shape(array.shape)} {array.dtype} written to {file}", err=True)
