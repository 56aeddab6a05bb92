"""An export as Parquet or as a stream of Arrow, by pyarrow, which is asked for only here."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from werkzeug.exceptions import NotAcceptable

from gradyard.jobs.exports import COLUMNS, OF_CURVES, Curves, Form, Holds
from service.exports.slices import Slice, Slices, Wanted

if TYPE_CHECKING:
    import pyarrow as pa

STEP, LOSS, LOSSES = OF_CURVES
ROWS_AT_ONCE = 65_536  # of losses, each with the columns of its job
TABLE_BYTES = 2**23  # of texts in a table of these, at most; Arrow has room for 2**31
MICROSECONDS = 1e6


def check_arrow_is_there(form: Form) -> None:
    """Raise NotAcceptable, with the extra to install, where pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ModuleNotFoundError:
        raise NotAcceptable(
            f"this service cannot write {form.content_type}: its host lacks pyarrow (install gradyard[arrow]); "
            "application/x-ndjson and text/csv are there"
        ) from None


def as_arrow(slices: Slices, wanted: Wanted, curves: Curves, form: Form) -> Iterator[bytes]:
    """The bytes of an export as they are made. A Parquet file that breaks off has no end, so no reader takes it."""
    import pyarrow as pa

    schema = _schema(pa, wanted, curves)
    sink = _Sink()
    with _writer(pa, sink, schema, form) as writer:
        for each in slices:
            for table in _tables(pa, schema, each, wanted.columns, curves):
                writer.write_table(table)
                yield from sink.taken()
    yield from sink.taken()


class _Sink(io.RawIOBase):
    """A file that gives away what was written into it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def taken(self) -> list[bytes]:
        parts, self._parts = self._parts, []
        return parts


def _writer(pa: Any, sink: _Sink, schema: pa.Schema, form: Form) -> Any:
    if form is Form.ARROW:
        return pa.ipc.new_stream(sink, schema)
    from pyarrow import parquet

    others = [name for name in schema.names if name not in (LOSS, LOSSES)]
    return parquet.ParquetWriter(
        sink, schema, compression=dict.fromkeys(others, "snappy") | {"losses.list.element": "none", LOSS: "none"},
        use_dictionary=others, write_statistics=others,  # losses hardly repeat, and their bits hardly compress
    )  # fmt: skip


def _schema(pa: Any, wanted: Wanted, curves: Curves) -> pa.Schema:
    types = {
        Holds.TEXT: pa.string(), Holds.JSON: pa.string(), Holds.INTEGER: pa.int64(), Holds.NUMBER: pa.float64(),
        Holds.TIME: pa.timestamp("us", tz="UTC"),
    }  # fmt: skip
    fields = [pa.field(name, types[holds]) for name, holds in wanted.columns.items()]
    # No loss is missing: to say so saves Parquet to count that for each of them.
    loss = pa.field("element", pa.float32() if wanted.asked.all_float32 else pa.float64(), nullable=False)
    more = {
        Curves.NONE: [], Curves.LONG: [pa.field(STEP, pa.int64(), nullable=False), loss.with_name(LOSS)],
        Curves.LIST: [pa.field(LOSSES, pa.list_(loss), nullable=False)],
    }  # fmt: skip
    return pa.schema([*fields, *more[curves]])


def _tables(
    pa: Any, schema: pa.Schema, each: Slice, columns: Mapping[str, Holds], curves: Curves
) -> Iterator[pa.Table]:
    """The rows of a slice. Those of losses come in several tables."""
    arrays = [pa.array(_values(name, holds, each.columns[name]), schema.field(name).type)
              for name, holds in columns.items()]  # fmt: skip
    if curves is Curves.NONE:
        yield pa.Table.from_arrays(arrays, schema=schema)
        return
    lengths = np.array([len(losses) for losses in each.curves], dtype=np.int64)
    dtype = np.float32 if "float" in str(schema.field(-1).type) else np.float64  # Arrow calls float64 `double`
    losses = np.concatenate([*each.curves, np.empty(0, "<f4")]).astype(dtype, copy=False)
    ends = np.concatenate([[0], lengths.cumsum()]).astype(np.int32)
    if curves is Curves.LIST:
        lists = pa.ListArray.from_arrays(pa.array(ends), pa.array(losses), type=schema.field(LOSSES).type)
        yield pa.Table.from_arrays([*arrays, lists], schema=schema)
        return
    job, step = np.repeat(np.arange(len(lengths)), lengths), np.arange(len(losses)) - np.repeat(ends[:-1], lengths)
    at_once = max(1, min(ROWS_AT_ONCE, TABLE_BYTES // _most_text(pa, arrays)))
    for start in range(0, len(losses), at_once):
        part = slice(start, start + at_once)
        of_jobs = [array.take(pa.array(job[part])) for array in arrays]
        yield pa.Table.from_arrays([*of_jobs, pa.array(step[part]), pa.array(losses[part])], schema=schema)


def _most_text(pa: Any, arrays: list[Any]) -> int:
    """The most bytes of text in a row of these arrays; at least 1."""
    from pyarrow import compute

    lengths = (compute.binary_length(each) for each in arrays if each.type == pa.string())
    of_rows = sum(compute.fill_null(each, 0).to_numpy().astype(np.int64) for each in lengths)
    return int(np.max(of_rows, initial=1))


def _values(name: str, holds: Holds, values: Sequence[Any]) -> Sequence[Any]:
    if holds is Holds.TIME:
        return [None if each is None else round(each * MICROSECONDS) for each in values]
    if holds is Holds.TEXT and name not in COLUMNS:
        # a parameter may be a number in this job and a text in others
        return [repr(each).removesuffix(".0") if isinstance(each, float) else each for each in values]
    return values
