"""The jobs of an export, slice by slice. Each slice is read in a transaction of its own, as of one moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row

from gradyard.jobs.exports import COLUMNS, Holds, parameter_columns
from gradyard.store.queries.exports.asked import AskedJobs
from gradyard.store.queries.exports.rows import IDS, ExportReader, ExportRows, id_text
from service.http.access.callers import Caller
from service.http.services import Services

SLICE_JOBS = 1000
SLICE_BYTES = 2**23  # of curves in memory at once; a longer curve is alone in its slice


@dataclass(frozen=True)
class Wanted:
    """The jobs of an export, and what it has beside their columns. whole: what a job's own route shows."""

    asked: AskedJobs
    curves: bool = False
    whole: bool = False

    @cached_property
    def columns(self) -> dict[str, Holds]:
        """The columns by name, in their order: those of every export, then the other parameters of these jobs."""
        others = parameter_columns(self.asked.parameters)
        return COLUMNS | {column: self.asked.parameters[name] for name, column in others.items()}


@dataclass(frozen=True)
class Slice:
    """Some jobs, in the order of ids.

    columns: by name, a value for each job; ids as texts, times in seconds, JSON as its text. curves: the losses of each
    job, (steps recorded,), in its own dtype, little-endian; empty where none are wanted. whole: by id.
    """

    columns: Mapping[str, Sequence[Any]]
    curves: list[np.ndarray]
    whole: dict[str, Row[Any]]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The values of each job, in the order of the columns."""
        return zip(*self.columns.values(), strict=True)


class Slices:
    """The slices of one export. No transaction is open while its client takes one, however long that may be."""

    def __init__(self, services: Services, caller: Caller, wanted: Wanted) -> None:
        self._services, self._wanted = services, wanted
        self._reader = ExportReader(caller.project_id, wanted.asked.question)
        self._parameters = parameter_columns(wanted.asked.parameters)

    def __iter__(self) -> Iterator[Slice]:
        for ids in self._wanted.asked.slices(SLICE_JOBS):
            at_once = len(ids)
            while ids:
                # Rows and curves are of one moment: a job that runs has the losses that its row tells of.
                with self._services.database.snapshot() as connection:
                    found = self._reader.rows(connection, ids[:at_once])
                    rows = found.fitting(SLICE_BYTES) if self._wanted.curves else found
                    part = self._slice(connection, rows)
                yield part
                taken = at_once if rows is found else ids.index(rows.ids[-1]) + 1
                # The other rows were read in vain: their jobs may train while a client takes this part.
                ids, at_once = ids[taken:], 2 * taken

    def _slice(self, connection: Connection, rows: ExportRows) -> Slice:
        ids = {name: [raw and id_text(raw) for raw in rows.columns[name]] for name in IDS}
        columns: dict[str, Sequence[Any]] = {**rows.columns, **ids, "metrics": rows.metrics}
        columns |= {column: [each.get(name) for each in rows.parameters] for name, column in self._parameters.items()}
        curves = self._reader.curves(connection, rows) if self._wanted.curves else []
        whole = self._reader.whole_jobs(connection, rows.ids) if self._wanted.whole else {}
        return Slice(columns, curves, {str(each): row for each, row in whole.items()})
