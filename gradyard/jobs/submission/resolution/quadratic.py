"""The squared error of a model that is linear in its coefficients, in closed form: what it can reach, and how soon.

X is the matrix of x's powers, (points, columns), X = Q R. With R = U S V' the error of weights w is
|r|^2 + |S V' w - c|^2, where c = U' Q' y and r is what no weights can fit. A step of gradient descent at the rate g
multiplies each entry of S V' w - c by 1 - 2 g s^2 / divisor (Boyd and Vandenberghe, "Convex Optimization", 2004, 9.3).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]

SLICE = 65_536  # points
MOST_DOUBLINGS = 40  # of a single step


class PowersOfX:
    """The matrix X of the powers of x, (points,), decomposed; `columns` powers, of which the first is 1."""

    def __init__(self, x: Floats, columns: int) -> None:
        self._x, self._columns = x, columns
        self._q: Floats | None = None
        if columns <= len(x) <= SLICE:  # a million points at degree 9 at once would be 80 MB
            self._q, self._r = np.linalg.qr(np.vander(x, columns, increasing=True))
        else:
            self._r = self._triangle(np.zeros((len(x), 0)))[:columns]
        left, self.singular, self.directions = np.linalg.svd(self._r)
        self._left_of_scaled, self._is_missing = _directions_missing(self._r, len(x))
        self._left = left

    def fit(self, y: Floats, divisor: int) -> "Quadratic":
        """The loss on y, (points,): the summed squared error over `divisor`."""
        if self._q is not None:
            projected = self._q.T @ y
            misfit = float(np.square(y - self._q @ projected).sum())
        else:
            triangle = self._triangle(y[:, np.newaxis])
            projected, misfit = triangle[: self._columns, -1], float(triangle[-1, -1] ** 2)
        out_of_reach = float(np.square((self._left_of_scaled.T @ projected)[self._is_missing]).sum())
        target, attainable = self._left.T @ projected, (misfit + out_of_reach) / divisor
        return Quadratic(self.singular, self.directions, target, misfit, attainable, divisor)

    def _triangle(self, beside: Floats) -> Floats:
        """R of X with the columns of `beside`, square; what X lacks is zero."""
        width = self._columns + beside.shape[1]
        triangle = np.zeros((0, width))
        for begin in range(0, len(self._x), SLICE):
            part = slice(begin, begin + SLICE)
            rows = np.column_stack([np.vander(self._x[part], self._columns, increasing=True), beside[part]])
            triangle = np.asarray(np.linalg.qr(np.vstack([triangle, rows]), mode="r"))
        return np.vstack([triangle, np.zeros((width - len(triangle), width))])


@dataclass(frozen=True, eq=False)  # two are never equal, so that results about one can be kept
class Quadratic:
    """A loss on some data. `attainable` is the one of least squares; `misfit` what no weights can fit, squared."""

    singular: Floats  # S, (columns,), the largest first
    directions: Floats  # V'
    target: Floats  # c, (columns,)
    misfit: float
    attainable: float
    divisor: int

    @property
    def condition(self) -> float:
        """The condition of X: its largest singular value over its smallest."""
        return float(self.singular[0] / self.singular[-1]) if self.singular[-1] > 0 else np.inf

    @cached_property
    def at_zero(self) -> float:
        """The loss of weights that are all zero."""
        return float((self.misfit + np.square(self.target).sum()) / self.divisor)

    @property
    def steepest(self) -> float:
        """The largest eigenvalue of the Hessian. At rates over 2 divided by it, gradient descent diverges."""
        return float(self._curvatures[0])

    def after(self, rate: float, step: int) -> "Descent":
        """The loss of that step of gradient descent, of the weights before its update, from wherever it begins."""
        factors = np.sqrt(self.factors(rate, np.array([float(step)]))[0])
        return Descent((factors * self.singular)[:, np.newaxis] * self.directions, factors * self.target, self)

    @np.errstate(over="ignore", invalid="ignore")
    def most_loss_at(self, largest_weight: float, rate: float, step: int) -> float:
        """A bound on `loss_at` for all weights between -`largest_weight` and `largest_weight`."""
        length = largest_weight * np.sqrt(len(self.singular))
        distances = np.square(self.singular * length + np.abs(self.target))
        return float(self._losses(distances[np.newaxis], self.factors(rate, np.array([float(step)])))[0, 0])

    @np.errstate(over="ignore", invalid="ignore")
    def steps_to(self, loss: float, weights: Floats, rate: float) -> Steps:
        """The first step with at most that loss from each of these weights, (starts, columns); -1 where there is none.

        The rate must not diverge.
        """
        distances = np.square(self.singular * _times(weights, self.directions) - self.target)
        return self._first_near(loss, distances, rate, *_doublings(self, rate))

    def _first_near(self, loss: float, distances: Floats, rate: float, steps: Steps, factors: Floats) -> Steps:
        """The first of these steps, and of those between them, with at most that loss. It falls with each step."""
        enough = self._losses(distances, factors) <= loss
        first = enough.argmax(axis=1)
        found = np.where(enough.any(axis=1), steps[first], -1)
        for place in np.unique(first[found > 0]):
            if steps[place] - steps[place - 1] > 1:
                those = (first == place) & (found > 0)
                between = _between(self, rate, int(steps[place - 1]), int(steps[place]))
                found[those] = self._first_near(loss, distances[those], rate, *between)
        return found

    @cached_property
    def _curvatures(self) -> Floats:
        return np.asarray(2.0 * self.singular**2 / self.divisor)

    @np.errstate(over="ignore", under="ignore")
    def factors(self, rate: float, steps: Floats | Steps) -> Floats:
        """What is left of each squared distance after so many steps, (steps, columns)."""
        return np.asarray(np.abs(1.0 - rate * self._curvatures) ** (2.0 * steps[:, np.newaxis]))

    def _losses(self, distances: Floats, factors: Floats) -> Floats:
        """The loss of each squared distance, (starts, columns), after each of these steps: (starts, steps)."""
        return np.asarray((self.misfit + _times(distances, factors)) / self.divisor)


# Kept: the members of a sweep over seeds look at the same steps, and their factors cost more than their losses.
@lru_cache(maxsize=256)
def _doublings(quadratic: Quadratic, rate: float) -> tuple[Steps, Floats]:
    """The steps 0, 1, 2, 4, 8 ... and what is left of each squared distance after them."""
    steps = np.array([0, *(2**power for power in range(MOST_DOUBLINGS + 1))])
    return steps, quadratic.factors(rate, steps)


@lru_cache(maxsize=1024)
def _between(quadratic: Quadratic, rate: float, first: int, last: int) -> tuple[Steps, Floats]:
    """At most 65 steps from `first` to `last`, and what is left of each squared distance after them."""
    steps = np.unique(np.linspace(first, last, 65).astype(np.int64))
    return steps, quadratic.factors(rate, steps)


@dataclass(frozen=True)
class Descent:
    """Some steps of gradient descent, from any weights: their squared distance to `offset` is what is left to lose."""

    matrix: Floats  # (columns, columns)
    offset: Floats  # (columns,)
    quadratic: Quadratic

    def losses(self, weights: Floats) -> Floats:
        """The loss that it ends with, from each of these weights, (starts, columns)."""
        left = _times(weights, self.matrix) - self.offset
        return np.asarray((self.quadratic.misfit + np.square(left).sum(axis=1)) / self.quadratic.divisor)


def _times(rows: Floats, matrix: Floats) -> Floats:
    """The matrix times each row, (rows, matrix's rows); the bits of one do not depend on how many there are.

    Column by column: a sum over an axis as short as this one takes numpy three times as long.
    """
    total = np.zeros((len(rows), len(matrix)))
    for column in range(matrix.shape[1]):
        total += rows[:, column, np.newaxis] * matrix[:, column]
    return total


def _directions_missing(r: Floats, points: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Directions of y, and which of them X does not have as far as rounding can tell.

    Columns are brought to one length first, as numpy's polyfit does: otherwise x in the thousands would have few.
    """
    lengths = np.linalg.norm(r, axis=0)
    left, singular, _ = np.linalg.svd(r / np.where(lengths > 0, lengths, 1.0))
    return left, singular <= points * np.finfo(np.float64).eps * singular[0]
