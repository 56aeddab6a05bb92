"""Takes the arrays of data sets out of a pack's specs: a runner gets each distinct data set once, as arrays."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from gradyard.jobs.specs.datasets import AnyData, digest, stored_dataset
from workers.protocol.frame import Arrays

Spec = dict[str, Any]
DatasetOf = Callable[[int, Mapping[str, Any]], AnyData]
"""Of the position of a spec and its data set as stored: the data set, which has its values."""


class PackData:
    """The specs without the arrays of their data sets, and those arrays.

    `sets`: each distinct data set, its arrays by name, float64, (points,) each. `index`: for each spec the position of
    its own in `sets`; None where the spec only describes it. `specs`: the specs, with a summary of each data set that
    is in `sets`.
    """

    def __init__(self, specs: Sequence[Spec], dataset_of: DatasetOf = lambda _, stored: stored_dataset(stored)) -> None:
        self.sets: list[Arrays] = []
        self.index: list[int | None] = []
        self.specs: list[Spec] = []
        self._positions: dict[Hashable, int] = {}
        for index, spec in enumerate(specs):
            self._add(spec, dataset_of(index, spec["dataset"]) if "dataset" in spec else None)

    def _add(self, spec: Spec, dataset: AnyData | None) -> None:
        arrays = dataset.arrays() if dataset else {}
        if dataset is None or not arrays:
            self.index.append(None)
            self.specs.append(spec)
            return
        known = dataset.key(0) or digest(arrays)  # of two columns of a file, their names tell as much as 16 MB
        position = self._positions.setdefault(known, len(self.sets))
        if position == len(self.sets):
            self.sets.append(arrays)
        self.index.append(position)
        self.specs.append(spec | {"dataset": dataset.summary()})
