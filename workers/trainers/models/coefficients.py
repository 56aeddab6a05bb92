"""The base of the eight trainers, without torch: a model's weights are coefficients, and its state has their names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from workers.trainers.contract import Array
from workers.trainers.models.polynomial import polynomial_formula


class CoefficientsTrainer(ABC):
    """A pack of models whose weights are the scalars a, b, c, ...; a subclass adds the forward, backward and update."""

    coefficient_names: Sequence[str]
    width: int

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """See `Trainer.state`."""

    def coefficients(self) -> list[dict[str, float]]:
        """For each member its coefficients in order and their values in float64."""
        state = self.state()
        rows = zip(*(state[coefficient].tolist() for coefficient in self.coefficient_names), strict=True)
        return [dict(zip(self.coefficient_names, row, strict=True)) for row in rows]

    def formula(self, coefficients: Mapping[str, float]) -> str:
        """One member's polynomial as the tutorial prints it."""
        return polynomial_formula(coefficients)

    def row(self, arrays: Mapping[str, Array], name: str) -> Array:
        """The array of that name, (members,). Raises KeyError if it is missing, ValueError if its shape is another."""
        values = arrays[name]
        if values.shape != (self.width,):
            raise ValueError(f"state {name!r} has shape {values.shape}, the pack needs ({self.width},)")
        return values
