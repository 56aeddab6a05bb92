"""Lines of an export as columns of a data frame, of pandas or of polars."""

from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from gradyard.client.errors import MissingExtra
from gradyard.jobs.exports import COLUMNS, Holds

OBJECTS = ("tags", "metrics", "coefficients")  # each of their values is a column of its own: `tags.course`


@dataclass(frozen=True)
class FrameColumns:
    """Rows of a frame by column: lists with None where a job has no value, and arrays of steps and losses."""

    values: dict[str, list[Any]]
    holds: dict[str, Holds]
    losses: list[np.ndarray] | None = None  # of each row
    steps: np.ndarray | None = None  # of a long frame: a row for each loss
    loss: np.ndarray | None = None


def as_frame(lines: Iterable[str], *, sort: str | None, curves: str | None) -> FrameColumns:
    """The columns of NDJSON with losses in base64. Raises ValueError where there is no column to sort by."""
    rows = [_flat(orjson.loads(line)) for line in lines]
    losses = [_losses(row) for row in rows] if curves else None
    names = _names(rows)
    order = list(range(len(rows))) if sort is None else _order(rows, sort, names)
    holds = {name: COLUMNS.get(name) or _kind(name, rows) for name in names}
    frame = FrameColumns({name: [rows[at].get(name) for at in order] for name in names}, holds)
    if losses is None:
        return frame
    in_order = [losses[at] for at in order]
    return replace(frame, losses=in_order) if curves == "list" else _long(frame, in_order)


def frames_of(kind: str) -> Callable[[FrameColumns], Any]:
    """What makes frames of that kind. Raises MissingExtra where its package is not installed."""
    if kind not in ("pandas", "polars"):
        raise ValueError(f"kind: must be pandas or polars, not {kind!r}")
    try:
        if kind == "pandas":
            import pandas  # noqa: F401
        else:
            import polars  # noqa: F401
    except ModuleNotFoundError:
        how = "install gradyard[pandas], or ask for kind='polars'" if kind == "pandas" else "pip install polars"
        raise MissingExtra(f"a frame needs {kind}: {how}") from None
    return _pandas if kind == "pandas" else _polars


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the values of its objects as columns."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name not in OBJECTS:
            flat[name] = orjson.dumps(value).decode() if isinstance(value, Mapping) else value
        for key, inner in (value or {}).items() if name in OBJECTS else ():
            figures = inner if isinstance(inner, Mapping) else {"": inner}
            flat |= {f"{name}.{key}{f'.{figure}' if figure else ''}": each for figure, each in figures.items()}
    return flat


def _losses(row: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(b64decode(row.pop("losses")), np.dtype(row["dtype"]).newbyteorder("<"))


def _names(rows: list[dict[str, Any]]) -> list[str]:
    """The columns in the order of the service; those of objects after the others."""
    found = dict.fromkeys(name for row in rows for name in row)
    if not found:
        return [name for name in COLUMNS if name not in OBJECTS]
    return sorted(found, key=lambda name: name.partition(".")[0] in OBJECTS)  # which changes no other order


def _kind(name: str, rows: list[dict[str, Any]]) -> Holds:
    """What a column holds that is not the same in every export."""
    texts = any(isinstance(row.get(name), str) for row in rows)
    return Holds.TEXT if texts else Holds.NUMBER


def _order(rows: list[dict[str, Any]], sort: str, names: list[str]) -> list[int]:
    name = sort.removeprefix("-")
    if name not in names and rows:
        raise ValueError(f"sort: there is no column {name}; there are: {', '.join(names)}")
    valued = [at for at, row in enumerate(rows) if row.get(name) is not None]
    return sorted(valued, key=lambda at: rows[at][name], reverse=sort.startswith("-"))


def _long(frame: FrameColumns, losses: list[np.ndarray]) -> FrameColumns:
    steps = [np.arange(len(each)) for each in losses]
    dtype = _loss_dtype(losses)
    whole = np.concatenate([*losses, np.empty(0, dtype)]).astype(dtype, copy=False)
    return replace(frame, losses=losses, steps=np.concatenate([*steps, np.empty(0, int)]).astype(int), loss=whole)


def _loss_dtype(losses: list[np.ndarray]) -> Any:
    return np.float64 if any(each.dtype.itemsize == 8 for each in losses) else np.float32


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _pandas(columns: FrameColumns) -> Any:
    import pandas as pd

    kinds = {Holds.NUMBER: "float64", Holds.INTEGER: "Int64", Holds.TIME: "datetime64[us, UTC]"}
    series = {}
    for name, values in columns.values.items():
        holds = columns.holds[name]
        read = [_moment(each) for each in values] if holds is Holds.TIME else values
        series[name] = pd.Series(read, dtype=kinds.get(holds, "str"), name=name)
    frame = pd.DataFrame(series)
    if columns.loss is None:
        return frame if columns.losses is None else frame.assign(losses=pd.Series(columns.losses, dtype=object))
    lengths = [len(each) for each in columns.losses or ()]
    return frame.loc[frame.index.repeat(lengths)].reset_index(drop=True).assign(step=columns.steps, loss=columns.loss)


def _polars(columns: FrameColumns) -> Any:
    import polars as pl

    kinds: dict[Holds, Any] = {
        Holds.NUMBER: pl.Float64, Holds.INTEGER: pl.Int64, Holds.TIME: pl.Datetime("us", "UTC"),
    }  # fmt: skip
    series = []
    for name, values in columns.values.items():
        holds = columns.holds[name]
        read = [_moment(each) for each in values] if holds is Holds.TIME else values
        series.append(pl.Series(name, read, dtype=kinds.get(holds, pl.String), strict=False))
    frame = pl.DataFrame(series)
    if columns.losses is None:
        return frame
    if columns.loss is None:
        kind = pl.Float64 if _loss_dtype(columns.losses) is np.float64 else pl.Float32
        return frame.with_columns(pl.Series("losses", columns.losses, dtype=pl.List(kind)))
    lengths = [len(each) for each in columns.losses]
    repeated = frame[np.repeat(np.arange(len(frame)), lengths)]
    return repeated.with_columns(pl.Series("step", columns.steps), pl.Series("loss", columns.loss))
