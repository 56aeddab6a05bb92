"""Data sets that come with Python packages, as x and y in their own units.

Each is a function, which loads the package that it comes with.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

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


def cars() -> RealSet:
    """Miles per gallon by weight, of vega_datasets."""
    from vega_datasets import data

    rows = data.cars()[["Weight_in_lbs", "Miles_per_Gallon"]].dropna().to_numpy(float)
    return RealSet("cars", "cars", "vega_datasets", "weight, pounds", "miles per gallon", rows[:, 0], rows[:, 1])


def engel() -> RealSet:
    """Spending on food by income, of statsmodels."""
    from statsmodels.api import datasets

    rows = datasets.engel.load_pandas().data
    return RealSet("engel", "food expenditure", "statsmodels, engel", "income, francs", "spent on food, francs",
                   rows["income"].to_numpy(float), rows["foodexp"].to_numpy(float))  # fmt: skip


def co2() -> RealSet:
    """Carbon dioxide by date, of statsmodels."""
    from statsmodels.api import datasets

    air = datasets.co2.load_pandas().data.dropna()
    return RealSet("co2", "carbon dioxide at Mauna Loa", "statsmodels, co2", "date, days since 1970", "ppm",
                   _days(air.index), air["co2"].to_numpy(float))  # fmt: skip


def nile() -> RealSet:
    """The flow of a river by year, of statsmodels."""
    from statsmodels.api import datasets

    rows = datasets.nile.load_pandas().data
    return RealSet("nile", "the Nile at Aswan", "statsmodels, nile", "year", "volume, 10^8 m^3",
                   rows["year"].to_numpy(float), rows["volume"].to_numpy(float))  # fmt: skip


def diabetes() -> RealSet:
    """The course of a disease by body mass, of scikit-learn."""
    from sklearn.datasets import load_diabetes

    rows = load_diabetes(scaled=False)
    return RealSet("diabetes", "diabetes", "scikit-learn", "body mass index", "progression after a year",
                   rows.data[:, 2], rows.target.astype(float))  # fmt: skip


def weather() -> RealSet:
    """The warmest temperature of each day, of vega_datasets; not in the table of docs."""
    from vega_datasets import data

    rows = data.seattle_weather()
    return RealSet("weather", "Seattle's weather", "vega_datasets", "date, days since 1970", "degrees Celsius",
                   _days(rows["date"]), rows["temp_max"].to_numpy(float))  # fmt: skip


def _days(dates: Any) -> np.ndarray:
    return (dates.to_numpy("datetime64[D]") - np.datetime64("1970-01-01")).astype(float)


SETS = (cars, engel, co2, nile, diabetes)
"""Those of docs/real-data.md."""
