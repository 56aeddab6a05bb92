"""A curve as a small picture in a line of HTML: SVG without a script, in the colour of the text around it."""

import math
from collections.abc import Iterator, Sequence
from html import escape

WIDTH, HEIGHT, EDGE = 150, 30, 2
WIDE_RANGE = 100  # from the lowest to the highest; over it the axis is logarithmic


def sparkline(steps: Sequence[int], values: Sequence[float | None]) -> str:
    """The curve through these points; empty where there are none. A value that is not finite leaves a gap."""
    finite = [value if value is not None and math.isfinite(value) else None for value in values]
    known = [value for value in finite if value is not None]
    if not known:
        return ""
    logarithmic = min(known) > 0 and max(known) / min(known) > WIDE_RANGE
    heights = [math.log(value) if logarithmic and value is not None else value for value in finite]
    title = f"{known[0]:.4g} to {known[-1]:.4g} over {steps[-1] - steps[0] + 1:,} steps"
    title += ", logarithmic" if logarithmic else ""
    return (
        f'<svg role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'style="vertical-align:middle"><title>{escape(title)}</title>'
        f'<path d="{" ".join(_path(steps, heights))}" fill="none" stroke="currentColor" stroke-width="1.5" '
        'stroke-linejoin="round" stroke-linecap="round"/></svg>'
    )


def _path(steps: Sequence[int], heights: Sequence[float | None]) -> Iterator[str]:
    known = [height for height in heights if height is not None]
    lowest, span = min(known), (max(known) - min(known)) or 1.0
    across = (steps[-1] - steps[0]) or 1
    begun = False
    for step, height in zip(steps, heights, strict=True):
        if height is None:
            begun = False
            continue
        x = EDGE + (step - steps[0]) / across * (WIDTH - 2 * EDGE)
        y = HEIGHT - EDGE - (height - lowest) / span * (HEIGHT - 2 * EDGE)
        yield f"{'L' if begun else 'M'}{x:.1f} {y:.1f}"
        if not begun:
            yield "h0.01"  # a lone point has ink as well
        begun = True
