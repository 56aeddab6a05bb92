"""What the data of a job say before it is trained: their scaling, what least squares reaches, how large they get."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gradyard.jobs.numbers.scaling import Scaling, offset_and_factor
from gradyard.jobs.specs.builtin import CoefficientsSpec, Scale
from gradyard.jobs.specs.datasets import Grid
from gradyard.jobs.submission.resolution.quadratic import Floats, PowersOfX, Quadratic


@dataclass(frozen=True)
class DataFacts:
    """Facts about x and y as they are trained on. `x_size`, `y_size`: what a loss adds up at weights of about one.

    `scaling` is None where the data are trained as they were sent, `quadratic` where the loss is none.
    """

    scaling: Scaling | None
    quadratic: Quadratic | None
    x_size: float
    y_size: float


class _Question(NamedTuple):  # made for each job: a frozen dataclass takes three times as long
    """What of a spec, beside its data, decides the facts."""

    columns: int
    highest_power: int
    scale: Scale
    is_quadratic: bool
    squares: bool  # whether the loss squares errors
    takes_the_mean: bool


def facts_of(spec: CoefficientsSpec, scale: Scale | None = None) -> DataFacts:
    """The facts for that spec, or for the same with another scale. Those of functions without noise are kept."""
    asked = _Question(
        len(spec.coefficient_names), spec.highest_power, scale or spec.scales, spec.has_a_quadratic_loss,
        spec.loss.name == "mse", spec.loss.reduction == "mean",
    )  # fmt: skip
    key = spec.dataset.key(spec.seed)
    if key is None:
        return _facts(asked, spec.dataset.x_values(), spec.dataset.y_values(spec.seed))
    return _kept(_Described(key, spec), asked)


class _Described:
    """Data that a key stands for."""

    def __init__(self, key: Hashable, spec: CoefficientsSpec) -> None:
        self._key, self.dataset, self.seed = key, spec.dataset, spec.seed

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Described) and other._key == self._key


@lru_cache(maxsize=512)
def _kept(data: _Described, asked: _Question) -> DataFacts:
    return _facts(asked, data.dataset.grid or data.dataset.x_values(), data.dataset.y_values(data.seed))


@np.errstate(over="ignore", invalid="ignore")
def _facts(asked: _Question, x: Floats | Grid, y: Floats) -> DataFacts:
    of_x = _facts_of_grid(x, asked) if isinstance(x, Grid) else _FactsOfX(x, asked)
    scaling = None
    if asked.scale != "none":
        scaling = Scaling(*of_x.offset_and_factor, *offset_and_factor(asked.scale, y))
        y = scaling.scaled_y(y)
    y_size = float(y @ y if asked.squares else np.abs(y).sum()) if scaling is None or _holds(scaling[2:]) else np.inf
    quadratic = None
    if of_x.powers is not None and np.isfinite(y_size):
        quadratic = of_x.powers.fit(y, len(y) if asked.takes_the_mean else 1)
    return DataFacts(scaling, quadratic, of_x.size, y_size)


class _FactsOfX:
    """What x alone says. `powers` is None where the loss is no quadratic, or where they overflow."""

    def __init__(self, x: Floats, asked: _Question) -> None:
        self.offset_and_factor = (0.0, 1.0) if asked.scale == "none" else offset_and_factor(asked.scale, x)
        x = (x - self.offset_and_factor[0]) / self.offset_and_factor[1]
        highest = np.abs(x) ** asked.highest_power
        size = float(highest @ highest if asked.squares else highest.sum())
        self.size = size if _holds(self.offset_and_factor) else np.inf
        self.powers = PowersOfX(x, asked.columns) if asked.is_quadratic and np.isfinite(self.size) else None


def _holds(offset_and_factor: tuple[float, ...]) -> bool:
    """Whether float64 holds them: by an infinite factor all data would be 0."""
    return bool(np.isfinite(offset_and_factor).all())


@lru_cache(maxsize=8)  # each holds up to 65,536 rows; the members of a batch mostly share one
def _facts_of_grid(grid: Grid, asked: _Question) -> _FactsOfX:
    return _FactsOfX(grid.values(), asked)
