"""Commands for files: files upload, list, show, download, delete."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from gradyard.cli.arguments.sizes import size
from gradyard.cli.commands.changes import Change, change_each
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.completion import file_ids
from gradyard.cli.grammar.options import LONG_RETRY_SECONDS, CommandOptions, asks_the_service, print_json
from gradyard.cli.lists import USUAL_LIMIT, newest, print_list
from gradyard.cli.output.files import file_lines, files_table
from gradyard.client.client import Client
from gradyard.client.exports.whole_file import written_whole
from gradyard.shapes import File

PathsArgument = Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, NPY, NPZ or Parquet.")]
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The id of the file, or its beginning.", autocompletion=file_ids)
]
IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID...", help="The ids of the files.", autocompletion=file_ids)
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="How many files.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write it; - is stdout. Default: its name.")
]


@asks_the_service
def upload(options: CommandOptions, paths: PathsArgument) -> None:
    """Send files in, and show their columns. The same bytes sent again are the same file.

    gradyard files upload cars.csv
    """
    with options.connect(LONG_RETRY_SECONDS) as client:
        sent = []
        for path in paths:
            sent.append(uploaded(client, path))
            if not options.as_json:
                _print(sent[-1:])  # at once: the next one may be refused
    if options.as_json:
        print_json([each.as_json() for each in sent])


def uploaded(client: Client, path: Path) -> File:
    """The file that was sent in. Raises BadUsage where it cannot be read."""
    try:
        return client.upload(path)
    except OSError as error:
        raise BadUsage(f"{path} cannot be read ({error.strerror or error})") from None


@asks_the_service
def list_files(options: CommandOptions, limit: LimitOption = USUAL_LIMIT) -> None:
    """List the files of the project, the last uploaded first.

    gradyard files
    """
    with options.connect() as client:
        found, more = newest(client.files(), limit)
    none = "there are no files; send one in: gradyard files upload FILE"
    print_list(found, more, files_table, as_json=options.as_json, none=none)


@asks_the_service
def show(options: CommandOptions, file: IdArgument) -> None:
    """Show a file: its columns, its first rows, how many jobs are trained on it.

    gradyard files show 3f0c9a61
    """
    with options.connect() as client:
        found = client.file(file)
    print_json(found.as_json()) if options.as_json else _print([found])


@asks_the_service
def download(options: CommandOptions, file: IdArgument, out: OutOption = None) -> None:
    """Fetch the bytes of a file as they were sent in.

    gradyard files download 3f0c9a61 --out cars.csv
    """
    with options.connect(LONG_RETRY_SECONDS) as client:
        found = client.file(file)
        content = client.file_content(found)
    if str(out) == "-":
        sys.stdout.buffer.write(content)
        return
    path = out or Path(Path(found.name or found.id).name)  # the name is another party's text: a file of this folder
    if out is None and path.exists():
        raise BadUsage(f"{path} is there already; name another file with --out")
    with written_whole(path) as opened:
        opened.write(content)
    typer.echo(f"{path}, {size(found.bytes)}", err=True)


@asks_the_service
def delete(options: CommandOptions, ids: IdsArgument = None) -> None:
    """Delete files on which no job is trained.

    gradyard files delete 3f0c9a61
    """
    change_each(options, "delete", ids, _delete)


def _delete(client: Client, file: str) -> Change:
    found = client.file(file)
    client.delete_file(found)
    return Change(f"{found.id} deleted", {"id": found.id, "deleted": True})


def _print(files: Iterable[File]) -> None:
    typer.echo("\n\n".join("\n".join(file_lines(each)) for each in files))
