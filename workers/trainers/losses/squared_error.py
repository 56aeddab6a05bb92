"""The squared error of a pack's polynomials and its gradients, in arrays that are made once.

It does the operations of `polynomial`, `WrittenOutLoss` and `stacked_gradients` in their order, so it has their bits.
New arrays of (members, points) at every operation push one another out of the cache: that costs up to half of a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tensor = Any
"""A numpy array or a torch tensor. Functions are looked up in the library they came from, passed as `library`."""


class SquaredError:
    """For two or more coefficients: weights (coefficients, members, 1), a basis (coefficients, members or 1, points).

    It keeps views of its arguments. Change the weights in place only; a new array would not be seen. `workspace` is
    (2, members, points), to compute in; `points` is the divisor of a mean, None for a sum. `total` sums along an axis.
    """

    def __init__(
        self, library: Any, weights: Tensor, basis: Tensor, y: Tensor, workspace: Tensor, points: int | None,
        total: Callable[..., Tensor],
    ) -> None:  # fmt: skip
        self._library, self._y, self._points, self._total = library, y, points, total
        self._constant, self._first, *others = weights
        _, *self._powers = basis
        self._terms = list(zip(others, self._powers[1:], strict=True))
        self._error, self._term = workspace
        self._grads = library.empty_like(weights)
        self._of_constant, *rows = (coefficient[:, 0] for coefficient in self._grads)
        self._of_powers = list(zip(rows, self._powers, strict=True))

    def __call__(self) -> tuple[Tensor, Tensor]:
        """The losses, (members,), and the gradients of the weights, (coefficients, members, 1), until the next call."""
        multiply, total, error, term = self._library.multiply, self._total, self._error, self._term
        # forward
        multiply(self._first, self._powers[0], out=error)
        error += self._constant
        for weight, power in self._terms:
            error += multiply(weight, power, out=term)
        error -= self._y
        loss = total(multiply(error, error, out=term), -1)
        # backward
        error *= 2.0
        if self._points is not None:
            loss /= self._points
            error /= self._points
        total(error, -1, out=self._of_constant)
        for row, power in self._of_powers:
            total(multiply(error, power, out=term), -1, out=row)
        return loss, self._grads
