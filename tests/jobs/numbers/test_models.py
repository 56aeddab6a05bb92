"""Coefficients in the units of the data, and the values of models."""

from fractions import Fraction

import numpy as np
import pytest

from gradyard.jobs.numbers.models import in_own_units, predicted, predicted_at_each_order
from gradyard.jobs.numbers.scaling import Scaling

CUBIC = {"a": 0.25, "b": -1.5, "c": 0.5, "d": 2.0}
DATES = Scaling(x_offset=2.4e6, x_factor=900.0, y_offset=-40.0, y_factor=3.5)


@pytest.mark.parametrize("stage", ["nn", "function"])
@pytest.mark.parametrize("scaling", [DATES, Scaling(0.0, 1.0, 0.0, 1.0), Scaling(-3.0, 0.5, 1e-3, 1e6)])
def test_both_forms_are_the_same_function(stage: str, scaling: Scaling) -> None:
    x = np.linspace(scaling.x_offset - 2 * scaling.x_factor, scaling.x_offset + 2 * scaling.x_factor, 9)
    own = in_own_units(stage, CUBIC, scaling)
    assert own is not None
    expected = predicted(stage, CUBIC, x, scaling)
    # The exact value at x of coefficients that were rounded to float64 once: powers of 2.4e6 cancel.
    spread = sum(abs(value) * np.abs(x).max() ** power for power, value in enumerate(own.values()))
    np.testing.assert_allclose(predicted(stage, own, x), expected, atol=1e-14 * spread, rtol=1e-12)


def test_each_coefficient_is_rounded_once() -> None:
    own = in_own_units("nn", CUBIC, DATES)
    assert own is not None
    offset, factor = Fraction(DATES.x_offset), Fraction(DATES.x_factor)
    assert own["d"] == float(Fraction(2.0) * Fraction(3.5) / factor**3)
    assert own["c"] == float(Fraction(3.5) * (Fraction(0.5) / factor**2 - 3 * Fraction(2.0) * offset / factor**3))


def test_a_coefficient_that_no_float64_can_hold_gives_none() -> None:
    assert in_own_units("nn", CUBIC, Scaling(0.0, 1e-200, 0.0, 1.0)) is None


def test_dynamic_has_no_single_value() -> None:
    with pytest.raises(ValueError, match="another order at each step"):
        predicted("dynamic", CUBIC | {"e": 1.0}, np.zeros(1))


@pytest.mark.parametrize("scaling", [None, DATES])
def test_dynamic_has_a_value_for_each_order_that_a_step_may_have(scaling: Scaling | None) -> None:
    x, e = np.linspace(-2.0, 2.0, 9), 0.125
    found = predicted_at_each_order(CUBIC | {"e": e}, x, scaling)
    cubic = predicted("nn", CUBIC, x, scaling)
    z, factor = (x, 1.0) if scaling is None else (scaling.scaled_x(x), scaling.y_factor)
    expected = {3: cubic, 4: cubic + factor * e * z**4, 5: cubic + factor * e * (z**4 + z**5)}
    assert found.keys() == expected.keys()
    for order, values in expected.items():
        np.testing.assert_allclose(found[order], values, rtol=1e-9)
