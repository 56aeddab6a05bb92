"""Small charts as SVG, drawn by the service: they need no script, and their sizes are attributes, not styles."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

MARGIN = 2.0


def line(values: Sequence[float] | np.ndarray, label: str, width: int = 120, height: int = 28) -> Markup:
    """A curve, such as a loss: logarithmic where all values are positive and far apart, as a loss mostly is."""
    y = np.asarray(values, np.float64)
    y = y[np.isfinite(y)]
    if len(y) < 2:
        return Markup("")
    if y.min() > 0 and y.max() / y.min() > 20:
        y = np.log(y)
    low, high = float(y.min()), float(y.max())
    scaled = (high - y) / (high - low) if high > low else np.full(len(y), 0.5)
    across = np.linspace(MARGIN, width - MARGIN, len(y))
    places = np.stack([across, MARGIN + scaled * (height - 2 * MARGIN)], axis=1).ravel().tolist()
    points = (
        "%.1f,%.1f " * len(y) % tuple(places)
    ).rstrip()  # a page has fifty of them: a loop takes three times as long
    # Nothing in it is of a user but the label, which is escaped.
    return Markup(
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}"{_named(label)}>'
        f'<polyline points="{points}"/></svg>'
    )


def bars(good: Sequence[int], bad: Sequence[int], label: str, width: int = 240, height: int = 44) -> Markup:
    """Counts in even periods, the bad ones on top of the good ones."""
    most = max((one + other for one, other in zip(good, bad, strict=True)), default=0)
    step = width / max(1, len(good))
    drawn = "".join(
        _bar(place * step, step, height, one / most if most else 0, other / most if most else 0)
        for place, (one, other) in enumerate(zip(good, bad, strict=True))
    )
    return Markup(
        '<svg class="bars" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{label}">'
        '<path class="base" d="M0 {base}H{w}"/>{drawn}</svg>'
    ).format(w=width, h=height, base=height - 0.5, label=label, drawn=Markup(drawn))


def _bar(left: float, step: float, height: int, good: float, bad: float) -> str:
    room, foot, wide = height - 2.0, height - 1.0, max(1.0, step - 2)
    of_each = (("good", good, good), ("bad", bad, good + bad))
    return "".join(
        f'<rect class="{look}" x="{left + 1:.1f}" y="{foot - top * room:.1f}" width="{wide:.1f}" '
        f'height="{share * room:.1f}"/>'
        for look, share, top in of_each if share
    )  # fmt: skip


def _named(label: str) -> Markup:
    """How a picture is told to those who hear a page; without a label the words beside it do."""
    return Markup(' role="img" aria-label="{}"').format(label) if label else Markup(' aria-hidden="true"')
