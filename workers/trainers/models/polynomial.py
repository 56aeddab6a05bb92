"""The polynomial a + b x + c x^2 + ... of every stage but one: its value, its powers of x and how it is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from workers.trainers.tensors.row_sums import is_on_gpu, row_sum

Tensor = TypeVar("Tensor", bound=Any)
"""A numpy array or a torch tensor."""


def powers_of(x: Tensor, degree: int) -> list[Tensor]:
    """[x^0, x^1, ... x^degree], each (points,); of one member's x, as in the tutorial, so with its bits."""
    return [x**exponent for exponent in range(degree + 1)]


def polynomial(weights: Sequence[Tensor], powers: Sequence[Tensor], workspace: Any = None) -> Tensor:
    """a + b x + c x^2 + ..., (members, points), for weights (members, 1) and powers (members or 1, points).

    It adds from the left like the tutorial's expression, so it has the same bits in every pack. It adds in place:
    what was just written is in the cache, and new memory is not. A `Workspace` also saves the first allocation.
    """
    if len(weights) == 1:
        return weights[0] * powers[0]
    if workspace is not None:
        return workspace.weighted_sum(weights[1:], powers[1:], weights[0])
    y = weights[1] * powers[1]
    y += weights[0]
    for weight, power in zip(weights[2:], powers[2:], strict=True):
        y += weight * power
    return y


def stacked_polynomial(weights: Tensor, basis: Tensor, workspace: Any = None) -> Tensor:
    """a + b x + c x^2 + ..., (members, points).

    The weights are (coefficients, members, 1), the basis (coefficients, members or 1, points).
    """
    if workspace is not None and len(weights) > 1:
        return workspace.polynomial(weights, basis)
    if weights.shape[1] > 1:
        return polynomial(list(weights), list(basis))
    # A lone job's time depends on the number of operations: one product of all terms. A pack's would not fit the cache.
    first, *others = weights * basis
    y = first + others[0] if others else first
    for term in others[1:]:
        y += term
    return y


def stacked_gradients(library: Any, grad_y_pred: Tensor, basis: Tensor, workspace: Any = None) -> Tensor:
    """The gradient of the weights of `stacked_polynomial`, (coefficients, members, 1), from that of its value.

    `grad_y_pred` is (members, points). `library` is the one the tensors come from, numpy or torch.
    """
    if workspace is not None:
        return workspace.gradients(grad_y_pred, basis[1:])
    if len(grad_y_pred) == 1 or is_on_gpu(grad_y_pred):
        return row_sum(grad_y_pred * basis)[..., None]
    return library.stack([row_sum(grad_y_pred), *(row_sum(grad_y_pred * power) for power in basis[1:])])[..., None]


def polynomial_formula(coefficients: Mapping[str, float]) -> str:
    """The tutorial's line: y = a + b x + c x^2 + d x^3."""
    terms = [f"{value}{_power_of_x(exponent)}" for exponent, value in enumerate(coefficients.values())]
    return "y = " + " + ".join(terms)


def legendre_formula(coefficients: Mapping[str, float]) -> str:
    """As the tutorial prints its model with P3, the Legendre polynomial of third degree."""
    return "y = {a} + {b} * P3({c} + {d} x)".format_map(coefficients)


def dynamic_formula(coefficients: Mapping[str, float]) -> str:
    """The question marks say that the last two terms are there at some steps only."""
    return "y = {a} + {b} x + {c} x^2 + {d} x^3 + {e} x^4 ? + {e} x^5 ?".format_map(coefficients)


def _power_of_x(exponent: int) -> str:
    return ("", " x")[exponent] if exponent < 2 else f" x^{exponent}"
