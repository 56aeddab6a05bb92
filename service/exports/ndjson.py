"""An export as NDJSON: an object for each job, or for each of its losses."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pybase64

from gradyard.jobs.exports import Curves, Holds
from gradyard.store.dialects import as_datetime
from service.exports.loss_lines import loss_lines
from service.exports.slices import Slice, Slices
from service.http.json_response import dump_json
from service.representation.jobs import job_answer

# Of whole jobs: what GET /v1/jobs/{id} shows, and steps of which there are no losses yet.
LEFT_OUT = ("spec", "resolved", "warnings", "waiting", "depends_on", "steps_done")

Written = Callable[[np.ndarray], bytes]


def as_ndjson(
    slices: Slices, columns: Mapping[str, Holds], curves: Curves, *, in_base64: bool = False
) -> Iterator[bytes]:
    """The lines of an export. in_base64: losses as the base64 of their bytes, else as numbers."""
    written: Written = _base64 if in_base64 else _numbers
    for each in slices:
        rows = (dict(zip(columns, row, strict=True)) for row in _readable(each, columns).rows())
        match curves:
            case Curves.NONE:
                yield from _lines(rows)
            case Curves.LIST:
                for row, curve in zip(rows, each.curves, strict=True):
                    yield b'%b,"losses":%b}\n' % (dump_json(_whole(row, each))[:-1], written(curve))
            case Curves.LONG:
                for row, curve in zip(rows, each.curves, strict=True):
                    yield from loss_lines(curve, dump_json(row)[:-1] + b',"step":', b',"loss":', b"}\n")


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    return (dump_json(row, orjson.OPT_APPEND_NEWLINE) for row in rows)


def _whole(row: dict[str, Any], of: Slice) -> dict[str, Any]:
    job = of.whole.get(row["id"])
    if job is None:
        return row
    return row | {name: value for name, value in job_answer(job, None).__dict__.items() if name not in LEFT_OUT}


def _readable(each: Slice, columns: Mapping[str, Holds]) -> Slice:
    """The slice with times as such, and with the text of JSON as it is to stand there."""
    readable = {name: _values(holds, each.columns[name]) for name, holds in columns.items()}
    return Slice(readable, each.curves, each.whole)


def _values(holds: Holds, values: Sequence[Any]) -> Sequence[Any]:
    if holds is Holds.TIME:
        return list(map(as_datetime, values))
    if holds is Holds.JSON:
        return [None if text is None else orjson.Fragment(text) for text in values]
    return values


def _numbers(losses: np.ndarray) -> bytes:
    return orjson.dumps(losses, option=orjson.OPT_SERIALIZE_NUMPY)


def _base64(losses: np.ndarray) -> bytes:
    return b'"%b"' % pybase64.b64encode(losses.data)
