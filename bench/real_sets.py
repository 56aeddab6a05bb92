"""Data sets that come with Python packages, as x and y in their own units."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import statsmodels.api as models
from sklearn.datasets import load_diabetes
from vega_datasets import data as vega

DEGREE = 3


@dataclass
class RealSet:
    """One data set, and what a cubic of it reaches. `curve` is a fitted model's y on `grid`."""

    name: str
    title: str
    source: str
    x_label: str
    y_label: str
    x: np.ndarray
    y: np.ndarray
    curve: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def grid(self) -> np.ndarray:
        """Even x from the least to the largest, (200,)."""
        return np.linspace(self.x.min(), self.x.max(), 200)

    @cached_property
    def best(self) -> np.ndarray:
        """numpy's cubic by least squares on x of about one, so that rounding does not spoil it; its values at `x`."""
        return self.polyfit_at(self.x)

    def polyfit_at(self, x: np.ndarray) -> np.ndarray:
        """The values of that cubic at other x."""
        offset, factor = self.x.mean(), self.x.std()
        return np.polyval(np.polyfit((self.x - offset) / factor, self.y, DEGREE), (x - offset) / factor)

    def error_of(self, fitted: np.ndarray) -> float:
        """The sum of squared errors of these values at `x`."""
        return float(np.square(fitted - self.y).sum())


def _sets() -> tuple[RealSet, ...]:
    diabetes = load_diabetes(scaled=False)
    engel = models.datasets.engel.load_pandas().data
    nile = models.datasets.nile.load_pandas().data
    air = models.datasets.co2.load_pandas().data.dropna()
    days = (air.index.to_numpy("datetime64[D]") - np.datetime64("1970-01-01")).astype(float)
    cars = vega.cars()[["Weight_in_lbs", "Miles_per_Gallon"]].dropna().to_numpy(float)
    return (
        RealSet("cars", "cars", "vega_datasets", "weight, pounds", "miles per gallon", cars[:, 0], cars[:, 1]),
        RealSet("engel", "food expenditure", "statsmodels, engel", "income, francs", "spent on food, francs",
                engel["income"].to_numpy(float), engel["foodexp"].to_numpy(float)),
        RealSet("co2", "carbon dioxide at Mauna Loa", "statsmodels, co2", "date, days since 1970", "ppm",
                days, air["co2"].to_numpy(float)),
        RealSet("nile", "the Nile at Aswan", "statsmodels, nile", "year", "volume, 10^8 m^3",
                nile["year"].to_numpy(float), nile["volume"].to_numpy(float)),
        RealSet("diabetes", "diabetes", "scikit-learn", "body mass index", "progression after a year",
                diabetes.data[:, 2], diabetes.target.astype(float)),
    )  # fmt: skip


SETS = _sets()
