"""The weights of a model before step 0, as its spec and seed say."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gradyard.jobs.numbers.draws import Stream, normals_of, uniforms_of

DRAWS = {"nn": "linear", "optim": "linear"}
"""By stage, what `"init": "default"` means to it where that is not "normal"."""

Floats = npt.NDArray[np.float64]


def initial_weights(
    init: str | Mapping[Any, float], seed: int, names: Sequence[str], default: str = "normal"
) -> Floats:
    """The weights of the coefficients `names`, in float64, (coefficients,).

    `default` is what `"init": "default"` means: "normal", or "linear" for torch.nn.Linear's draw, uniform over
    +-1 / sqrt(inputs). Raises KeyError for an object that lacks a coefficient.
    """
    if not isinstance(init, str):
        return np.array([float(init[name]) for name in names])
    return drawn_weights(default if init == "default" else init, [seed], len(names))[0]


def drawn_weights(draw: str, seeds: Sequence[int], count: int) -> Floats:
    """The weights of `count` coefficients for each of these seeds, in float64, (seeds, coefficients).

    draw: "normal", or "linear" for torch.nn.Linear's draw, uniform over +-1 / sqrt(inputs).
    """
    if draw == "linear":
        # A constant alone has no inputs; the bound of one input then keeps the draw finite.
        bound = 1.0 / np.sqrt(max(count - 1, 1))
        return np.asarray(bound * uniforms_of(seeds, Stream.INITIAL_WEIGHTS, count))
    return normals_of(seeds, Stream.INITIAL_WEIGHTS, count)
