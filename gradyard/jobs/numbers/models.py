"""The models of the built-in stages in numbers: their value at x, and their coefficients in the units of the data."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import comb

import numpy as np
import numpy.typing as npt

from gradyard.jobs.numbers.scaling import Scaling

Coefficients = Mapping[str, float]
Floats = npt.NDArray[np.float64]

LEGENDRE, UNSETTLED = "function", "dynamic"


@np.errstate(over="ignore", invalid="ignore")
def predicted(stage: str, coefficients: Coefficients, x: Floats, scaling: Scaling | None = None) -> Floats:
    """y in float64, (points,), of x, (points,).

    With a scaling, the coefficients are those of scaled data, and x and y are not. Raises ValueError for `dynamic`,
    whose model is another at each step.
    """
    if stage == UNSETTLED:
        raise ValueError("its model has another order at each step")
    return _of_data(scaling, x, lambda z: _value(stage, coefficients, z))


@np.errstate(over="ignore", invalid="ignore")
def predicted_at_each_order(coefficients: Coefficients, x: Floats, scaling: Scaling | None = None) -> dict[int, Floats]:
    """What `dynamic` may take for y, by order: at each step its cubic alone, with e x^4, or with e x^4 + e x^5.

    coefficients are a to e; as for `predicted`, they are those of scaled data where there is a scaling.
    """
    *cubic, e = coefficients.values()
    return {3 + more: _of_data(scaling, x, _polynomial([*cubic, *[e] * more])) for more in range(3)}


def in_own_units(stage: str, coefficients: Coefficients, scaling: Scaling) -> dict[str, float] | None:
    """The coefficients that give y of x as it was sent, from those of scaled data; each is rounded once.

    None where one of them is too large for a float64.
    """
    exact = [Fraction(value) for value in coefficients.values()]
    x_offset, x_factor, y_offset, y_factor = (Fraction(each) for each in scaling)
    if stage == LEGENDRE:
        a, b, c, d = exact
        own = [y_offset + y_factor * a, y_factor * b, c - d * x_offset / x_factor, d / x_factor]
    else:
        own = [
            y_factor * sum(
                weight * comb(power, kept) * (-x_offset) ** (power - kept) / x_factor**power
                for power, weight in enumerate(exact) if power >= kept
            ) for kept in range(len(exact))
        ]  # fmt: skip
        own[0] += y_offset
    try:
        return dict(zip(coefficients, map(float, own), strict=True))
    except OverflowError:
        return None


def _of_data(scaling: Scaling | None, x: Floats, value: Callable[[Floats], Floats]) -> Floats:
    if scaling is None:
        return np.asarray(value(x))
    return scaling.y_offset + scaling.y_factor * np.asarray(value(scaling.scaled_x(x)))


def _polynomial(weights: Sequence[float]) -> Callable[[Floats], Floats]:
    return lambda x: np.asarray(np.polyval(weights[::-1], x), np.float64)


def _value(stage: str, coefficients: Coefficients, x: Floats) -> Floats:
    weights = list(coefficients.values())
    if stage == LEGENDRE:
        a, b, c, d = weights
        z = c + d * x
        return np.asarray(a + b * 0.5 * (5.0 * z**3 - 3.0 * z))
    return _polynomial(weights)(x)
