"""The squared error of a pack's polynomials and its gradients, in arrays that are made once.

The same operations in the same order as `polynomial`, `WrittenOutLoss` and `stacked_gradients`, so the same bits. New
arrays of (members, points) at every operation push one another out of the cache: that costs up to half of a step.
"""

from __future__ import annotations

from typing import Any

Tensor = Any
"""A numpy array or a torch tensor. Functions are looked up in the library they came from, handed in as `library`."""


class SquaredError:
    """For weights (letters, members, 1), at least two letters, and a basis of (letters, members or 1, points)."""

    def __init__(self, library: Any, basis: Tensor, y: Tensor, room: Tensor, points: int | None) -> None:
        """`room` is (2, members, points) to compute in; `points` is what a mean divides by, None for a sum."""
        self._library, self._powers, self._y, self._points = library, list(basis), y, points
        self._error, self._term = room

    def __call__(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The losses, (members,), and the gradients of the weights, (letters, members, 1)."""
        multiply, error, term = self._library.multiply, self._error, self._term
        constant, first, *others = weights
        # forward
        multiply(first, self._powers[1], out=error)
        error += constant
        for weight, power in zip(others, self._powers[2:], strict=True):
            error += multiply(weight, power, out=term)
        error -= self._y
        loss = multiply(error, error, out=term).sum(-1)
        # backward
        error *= 2.0
        if self._points is not None:
            loss /= self._points
            error /= self._points
        grads = [error.sum(-1), *(multiply(error, power, out=term).sum(-1) for power in self._powers[1:])]
        return loss, self._library.stack(grads)[..., None]
