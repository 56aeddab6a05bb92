"""An export as CSV: a line for each job, or for each of its losses."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from gradyard.jobs.exports import OF_CURVES, Curves, Holds
from gradyard.store.dialects import as_datetime
from service.exports.loss_lines import loss_lines
from service.exports.slices import Slices

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet computes a cell that begins so, also one from a stranger
STEP, LOSS, LOSSES = OF_CURVES


def as_csv(slices: Slices, columns: Mapping[str, Holds], curves: Curves) -> Iterator[bytes]:
    """The lines of an export, many in each block; the first one names the columns."""
    names = {Curves.NONE: [], Curves.LONG: [STEP, LOSS], Curves.LIST: [LOSSES]}[curves]
    yield _lines([[*columns, *names]])[0]
    for each in slices:
        values = [_cells(holds, each.columns[name]) for name, holds in columns.items()]
        if curves is Curves.LIST:
            values.append([orjson.dumps(losses, option=orjson.OPT_SERIALIZE_NUMPY).decode() for losses in each.curves])
        lines = _lines(zip(*values, strict=True))
        if curves is not Curves.LONG:
            yield b"".join(lines)
            continue
        for line, losses in zip(lines, each.curves, strict=True):
            yield from loss_lines(losses, line.removesuffix(b"\n") + b",", b",", b"\n")


def as_losses_alone(slices: Slices) -> Iterator[bytes]:
    """`job,step,loss`, a line for each loss."""
    yield b"job,step,loss\n"
    for each in slices:
        for job_id, losses in zip(each.columns["id"], each.curves, strict=True):
            yield from loss_lines(losses, f"{job_id},".encode(), b",", b"\n")


def _lines(rows: Any) -> list[bytes]:
    lines: list[bytes] = []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(row)
        lines.append(text.getvalue().encode())
        text.seek(0)
        text.truncate()
    return lines


def _cells(holds: Holds, values: Sequence[Any]) -> Sequence[Any]:
    if holds is Holds.TIME:
        return ["" if each is None else as_datetime(each).isoformat().replace("+00:00", "Z") for each in values]
    if holds is Holds.TEXT:
        return [_no_formula(each) if isinstance(each, str) else each for each in values]
    return values


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
