"""`scale`: x and y are brought to numbers of about one before training, by an offset and a factor each."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Scaling(NamedTuple):
    """Scaled data are (value - offset) / factor."""

    x_offset: float
    x_factor: float
    y_offset: float
    y_factor: float

    @classmethod
    def stored(cls, numbers: Mapping[str, float]) -> Self:
        """The scaling of `as_json`."""
        return cls(**numbers)

    def as_json(self) -> dict[str, float]:
        """By name."""
        return self._asdict()

    def scaled_x(self, x: Floats) -> Floats:
        """(points,) of (points,)."""
        return (x - self.x_offset) / self.x_factor

    def scaled_y(self, y: Floats) -> Floats:
        """(points,) of (points,)."""
        return (y - self.y_offset) / self.y_factor


def offset_and_factor(scale: str, values: Floats) -> tuple[float, float]:
    """Of `standard` (to mean 0 and standard deviation 1) or `minmax` (to the range 0 to 1), for values (points,).

    Values that are all equal have the factor 1. Of values that span more than float64 holds, the factor is not finite.
    """
    offset, factor = _offset_and_factor(scale, values)
    if not np.isfinite([offset, factor]).all():  # their squares or their sum overflow
        largest = float(np.abs(values).max())
        offset, factor = (each * largest for each in _offset_and_factor(scale, values / largest))
    return offset, factor or 1.0


@np.errstate(over="ignore", invalid="ignore")
def _offset_and_factor(scale: str, values: Floats) -> tuple[float, float]:
    if scale == "standard":
        return float(values.mean()), float(values.std())
    return float(values.min()), float(np.ptp(values))
