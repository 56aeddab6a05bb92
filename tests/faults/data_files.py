"""Files on which jobs of a run are trained: a small one, in the database, and a large one, in the folder of files."""

import hashlib
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple

import httpx
import numpy as np

from gradyard.jobs.specs.file_data import FileData, XAndY
from gradyard.store.files.rows import IN_SQL_BYTES
from tests.faults.access import Access

OTHERS = 8  # columns of the large file beside x and y: a process keeps four pairs of columns, and reads others anew
GENTLE = {"loss": {"name": "mse", "reduction": "mean"}, "learning_rate": 1e-2}  # for any number of points


class DataFile(NamedTuple):
    """A file: its id, its content, and its columns."""

    id: str
    content: bytes
    columns: dict[str, np.ndarray]

    def spec(self, y: str = "y") -> dict[str, Any]:
        """The part of a spec that trains on its columns x and y."""
        return {"dataset": {"kind": "file", "file": self.id, "x": "x", "y": y}, **GENTLE}


@cache
def small() -> DataFile:
    """200 points."""
    return _file(_columns(200, []))


@cache
def large() -> DataFile:
    """As many points as make it too large for the database."""
    names = [f"z{number}" for number in range(OTHERS)]
    return _file(_columns(IN_SQL_BYTES // (8 * OTHERS), names))


def send_in(url: str, projects: Iterable[Access], transport: httpx.BaseTransport | None = None) -> None:
    """Send both files in, for each of the projects."""
    for access in projects:
        with httpx.Client(base_url=url, timeout=20.0, trust_env=False, transport=transport) as client:
            for file in (small(), large()):
                # the administrator's, since the keys of a run may not send files in
                named = {"project": access.project}
                sent = client.post("/v1/files", content=file.content, params=named, headers=Access().headers)
                sent.raise_for_status()


class OfARun:
    """The files of a run, for a training without a service."""

    def with_values(self, dataset: FileData) -> FileData:
        """The columns, of one of the two files."""
        columns = next(each.columns for each in (small(), large()) if each.id == dataset.file)
        return dataset.with_values(len(columns["x"]), lambda: XAndY(columns[dataset.x], columns[dataset.y]))


def _columns(points: int, more: list[str]) -> dict[str, np.ndarray]:
    x = np.linspace(-1.0, 1.0, points)
    columns = {"x": x, "y": np.sin(3 * x)}
    return columns | {name: np.sin(3 * x + number + 1) for number, name in enumerate(more)}


def _file(columns: dict[str, np.ndarray]) -> DataFile:
    table = np.zeros(len(columns["x"]), [(name, "f8") for name in columns])
    for name, values in columns.items():
        table[name] = values
    file = BytesIO()
    np.save(file, table)
    content = file.getvalue()
    return DataFile(hashlib.sha256(content).hexdigest(), content, columns)
