"""Loss curves as text: one of two by four braille dots a character, several of a letter each. Each column shows its
lowest and highest loss."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

DECADES = 1.0  # a curve that spans more of them gets a logarithmic axis
LOGARITHMIC = "log scale"
LABEL_WIDTH = len(LOGARITHMIC)
MEETING = "*"  # where several curves have a letter
# The bit of each dot of a braille character (U+2800 to U+28FF), by row and column.
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def curve(losses: "np.ndarray", *, width: int = 60, height: int = 10, steps: "np.ndarray | None" = None) -> list[str]:
    """Draws `losses` (points,) over `steps` (points,), by default 0, 1, 2, …; returns the lines.

    `width` and `height` count axes and labels. Losses that are not finite are left out; the axis of losses is
    logarithmic where they are positive and span more than a decade, and says so.
    """
    import numpy as np

    steps = np.arange(len(losses)) if steps is None else steps
    steps, values = _finite(steps, losses)
    if not len(values):
        return ["no finite value" if len(losses) else "no values"]
    logarithmic = _spans_decades(values)
    drawn = np.log10(values) if logarithmic else values
    columns, rows = max(2, width - LABEL_WIDTH - 2), max(1, height - 2)
    low, high = _ranges(steps, drawn, 2 * columns)
    cells = _dots(_rows_of(low, drawn, 4 * rows), _rows_of(high, drawn, 4 * rows), columns, rows)
    return _with_axes(cells, values, (int(steps[0]), int(steps[-1])), logarithmic)


def curves(points: "Mapping[str, tuple[np.ndarray, np.ndarray]]", *, width: int = 60, height: int = 16) -> list[str]:
    """Draws several curves over one another, each with its letter; `*` where several meet. Returns the lines.

    points: by letter, the steps and the losses, each (points,). Losses that are not finite are left out; the axes are
    those of all curves.
    """
    import numpy as np

    finite = {letter: _finite(*each) for letter, each in points.items()}
    finite = {letter: each for letter, each in finite.items() if len(each[1])}
    if not finite:
        return ["no values"]
    values = np.concatenate([each[1] for each in finite.values()])
    first, last = (int(end(each[0][place] for each in finite.values())) for end, place in ((min, 0), (max, -1)))
    logarithmic = _spans_decades(values)
    columns, rows = max(2, width - LABEL_WIDTH - 2), max(1, height - 2)
    cells = [[" "] * columns for _ in range(rows)]
    scale = np.log10 if logarithmic else np.asarray
    for letter, (steps, losses) in finite.items():
        begin, end = ((int(each) - first) * (columns - 1) // max(1, last - first) for each in (steps[0], steps[-1]))
        low, high = _ranges(steps, scale(losses), max(2, end - begin + 1))
        drawn = zip(_rows_of(high, scale(values), rows), _rows_of(low, scale(values), rows), strict=True)
        for column, (top, bottom) in enumerate(drawn, begin):
            for row in cells[top : bottom + 1]:
                row[min(column, columns - 1)] = letter if row[min(column, columns - 1)] in (" ", letter) else MEETING
    return _with_axes(["".join(row) for row in cells], values, (first, last), logarithmic)


def _finite(steps: "np.ndarray", losses: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """The losses that are finite, in float64, and their steps."""
    import numpy as np

    finite = np.isfinite(losses)
    return steps[finite], np.asarray(losses, dtype=np.float64)[finite]


def _spans_decades(values: "np.ndarray") -> bool:
    return bool(values.min() > 0 and math.log10(values.max()) - math.log10(values.min()) > DECADES)


def _ranges(steps: "np.ndarray", values: "np.ndarray", columns: int) -> "tuple[np.ndarray, np.ndarray]":
    """The lowest and the highest value in each of `columns` equal ranges of steps; neighbouring columns touch."""
    import numpy as np

    span = max(1, int(steps[-1]) - int(steps[0]))
    column_of = ((steps - steps[0]) * (columns - 1) // span).astype(np.int64)
    middles = steps[0] + np.arange(columns) * span / (columns - 1)
    low = np.interp(middles, steps, values)  # for a range without a value of its own
    high = low.copy()
    filled = np.unique(column_of)
    low[filled], high[filled] = np.inf, -np.inf
    np.minimum.at(low, column_of, values)
    np.maximum.at(high, column_of, values)
    low[1:] = np.minimum(low[1:], high[:-1])
    high[1:] = np.maximum(high[1:], low[:-1])
    return low, high


def _rows_of(values: "np.ndarray", of: "np.ndarray", rows: int) -> list[int]:
    """The row of dots of each value, 0 at the top."""
    import numpy as np

    lowest, highest = float(of.min()), float(of.max())
    share = (values - lowest) / (highest - lowest) if highest > lowest else np.full(len(values), 0.5)
    return [int(row) for row in np.rint((1.0 - share) * (rows - 1))]


def _dots(bottoms: Sequence[int], tops: Sequence[int], columns: int, rows: int) -> list[str]:
    cells = [[0] * columns for _ in range(rows)]
    for x, (top, bottom) in enumerate(zip(tops, bottoms, strict=True)):
        for y in range(top, bottom + 1):
            cells[y // 4][x // 2] |= DOTS[y % 4][x % 2]
    return ["".join(chr(0x2800 + cell) for cell in row) for row in cells]


def _with_axes(rows: list[str], values: "np.ndarray", steps: tuple[int, int], logarithmic: bool) -> list[str]:
    labels = [""] * len(rows)
    labels[-1] = f"{values.min():.4g}"
    labels[0] = f"{values.max():.4g}"
    if logarithmic and len(rows) > 2:
        labels[len(rows) // 2] = LOGARITHMIC
    lines = [
        f"{label:>{LABEL_WIDTH}} {'┤' if label not in ('', LOGARITHMIC) else '│'}{row}"
        for label, row in zip(labels, rows, strict=True)
    ]
    width = len(rows[0])
    first, last = f"{steps[0]:,}", f"{steps[1]:,}"
    middle = "step"
    if len(first) + len(middle) + len(last) + 2 > width:
        middle = ""
    between = middle.center(max(1, width - len(first) - len(last)))
    margin = " " * (LABEL_WIDTH + 1)
    return [*lines, f"{margin}└{'─' * width}", f"{margin} {first}{between}{last}"]
