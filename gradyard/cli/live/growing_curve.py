"""A loss curve that is put together from the parts in which a stream tells it."""

from gradyard.shapes import CurvePart

MOST_POINTS = 20_000  # more than any terminal shows
KEPT_POINTS = 2_000


class GrowingCurve:
    """A loss curve so far. `points`: its steps and losses, both of shape (points,); of a long curve some of them."""

    def __init__(self) -> None:
        import numpy as np

        self.points = np.empty(0, np.int64), np.empty(0)  # both at once: another thread draws them

    def take(self, part: CurvePart) -> None:
        """Put the part in the place of all that was known from its first step on."""
        import numpy as np

        from gradyard.jobs.curves import Curve

        new = np.arange(part.from_step, part.to_step) if part.steps is None else np.array(part.steps, np.int64)
        found = np.array([np.nan if loss is None else loss for loss in part.losses], np.float64)
        before, losses = self.points
        kept = int(np.searchsorted(before, part.from_step))
        whole = Curve(np.concatenate([before[:kept], new]), np.concatenate([losses[:kept], found]))
        shown = whole if len(whole.values) <= MOST_POINTS else whole.points(KEPT_POINTS)
        self.points = np.asarray(shown.steps), shown.values

    @property
    def last(self) -> float | None:
        """The last finite loss so far; None where there is none."""
        import numpy as np

        _, losses = self.points
        finite = losses[np.isfinite(losses)]
        return float(finite[-1]) if len(finite) else None
