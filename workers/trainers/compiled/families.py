"""The models of the torch stages as functions of tensors, for static graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from workers.trainers.models.polynomial import dynamic_formula, legendre_formula, polynomial, polynomial_formula
from workers.trainers.tensors.row_sums import all_along_points, along_points

Model = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def power_series(weights: Tensor, basis: Tensor, terms: Tensor | None) -> Tensor:
    """(members, points) of weights (members, coefficients) and a basis (coefficients, members or 1, points)."""
    return polynomial(along_points(weights.unsqueeze(-1), basis.shape[-1]).unbind(1), basis.unbind())


def legendre(weights: Tensor, basis: Tensor, terms: Tensor | None) -> Tensor:
    """a + b P3(c + d x); the basis holds 1 and x."""
    a, b, c, d = along_points(weights.unsqueeze(-1), basis.shape[-1]).unbind(1)
    z = c + d * basis[1]
    return a + b * (z * (2.5 * (z * z) - 1.5))


def dynamic(weights: Tensor, basis: Tensor, terms: Tensor | None) -> Tensor:
    """a + b x + c x^2 + d x^3, and e x^4 and e x^5 for the members that have them at this step."""
    assert terms is not None
    # e goes into two weights before it meets a point: one loop over the points then does for all six.
    *always, e = weights.unsqueeze(-1).unbind(1)
    weights_of_powers = [*always, e * terms[:, :1], e * terms[:, 1:]]
    return polynomial(all_along_points(weights_of_powers, basis.shape[-1]), basis.unbind())


class Family(NamedTuple):
    """A model as a function, and its formula; its coefficients and highest power of x where no degree sets them."""

    model: Model
    coefficient_names: str = ""
    highest: int = 0
    formula: Callable[[Mapping[str, float]], str] = polynomial_formula


POLYNOMIAL = Family(power_series)
FAMILIES: Mapping[str, Family] = {
    "tensor": POLYNOMIAL, "autograd": POLYNOMIAL, "module": POLYNOMIAL, "nn": POLYNOMIAL, "optim": POLYNOMIAL,
    "function": Family(legendre, "abcd", 1, formula=legendre_formula),
    "dynamic": Family(dynamic, "abcde", 5, formula=dynamic_formula),
}  # fmt: skip
