"""Files as text."""

import shlex
from collections.abc import Iterable

from gradyard.cli import text
from gradyard.cli.arguments.sizes import size
from gradyard.cli.output.listing import Column, Listing
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import File, FileColumn

SHOWN_ID = 16  # digits: enough to name one of millions


def files_table(files: Iterable[File]) -> Listing:
    """One line for each file."""
    listing = Listing(
        Column("id"), Column("name", kind="text", least=12), Column("rows", right=True),
        Column("columns", 2, kind="prose", least=16), Column("size", 3, right=True),
        Column("jobs", 1, right=True), Column("uploaded", 4, right=True),
    )  # fmt: skip
    for each in files:
        names = ", ".join(column.name for column in each.columns)
        rows = f"{each.rows:,}" if each.columns else "-"
        listing.add(
            each.id[:SHOWN_ID], each.name or "", rows, names, size(each.bytes), f"{each.jobs:,}",
            text.ago(each.uploaded_at),
        )  # fmt: skip
    return listing


def file_lines(file: File) -> list[str]:
    """A file as lines of text, with a command that trains a job on its first two columns of numbers."""
    trained = "1 job" if file.jobs == 1 else f"{file.jobs:,} jobs"
    rows = f"{file.rows:,} rows, " if file.columns else ""
    lines = [
        f"file {file.id}",
        f"  {file.name or 'without a name'}: {file.format}, {rows}{size(file.bytes)}; {trained}",
    ]
    lines += [f"  {column.name}: {_about(column)}" for column in file.columns]
    numeric = [column.name for column in file.columns if column.is_numeric and not column.missing]
    if len(numeric) >= 2:
        x, y = numeric[:2]
        columns = f"--data {file.id[:SHOWN_ID]} --x {shlex.quote(x)} --y {shlex.quote(y)}"
        lines.append(f"  gradyard submit nn {columns} --set scale=standard --set learning_rate=auto")
    return [one_line(line) for line in lines]


def _about(column: FileColumn) -> str:
    missing = f", {column.missing:,} missing or not finite" if column.missing else ""
    return f"{column.type}{missing}"
