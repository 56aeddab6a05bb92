"""Takes the numbers of data sets out of a pack's specs: a runner gets each distinct data set once, as arrays."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from workers.protocol.frame import Arrays

_CARRIED = ("x", "y")

Spec = dict[str, Any]


class InlineData:
    """The specs without the numbers of their data sets, and those numbers.

    `data`: each distinct data set, its arrays by name, float64, (points,) each. `index`: for each spec the position of
    its own in `data`; None where the spec only describes it. `specs`: what is left.
    """

    def __init__(self, specs: Sequence[Spec]) -> None:
        self.data: list[Arrays] = []
        self._positions: dict[bytes, int] = {}
        self.index = [self._take(spec) for spec in specs]
        self.specs = [
            spec if index is None else spec | {"dataset": _without_numbers(spec["dataset"])}
            for spec, index in zip(specs, self.index, strict=True)
        ]

    def _take(self, spec: Spec) -> int | None:
        dataset = spec.get("dataset") or {}
        arrays = {name: np.asarray(dataset[name], np.float64) for name in _CARRIED if name in dataset}
        if not arrays:
            return None
        digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).digest()
        if digest not in self._positions:
            self._positions[digest] = len(self.data)
            self.data.append(arrays)
        return self._positions[digest]


def _without_numbers(dataset: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in dataset.items() if name not in _CARRIED}
