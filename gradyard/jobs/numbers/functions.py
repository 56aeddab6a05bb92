"""The functions that a data set may have as y, by numpy."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]

FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "tanh": np.tanh,
    "step": lambda x: np.heaviside(x, np.ones((), x.dtype)),
    "abs": np.abs,
    "gauss": lambda x: np.exp(-(x**2)),
}
"""By name; each takes and returns (points,) of one dtype."""
