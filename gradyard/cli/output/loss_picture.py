"""Loss curves as a picture, drawn by matplotlib, which the extra `plot` installs."""

from collections.abc import Sequence
from typing import IO

import numpy as np

from gradyard.cli.errors import BadUsage
from gradyard.cli.output.comparison import Compared

INCHES, DOTS_PER_INCH = (9.0, 5.0), 150


def check_that_it_can_be_drawn() -> None:
    """Raises BadUsage where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise BadUsage(
            "compare: --png is drawn by matplotlib, which is not installed: pip install 'gradyard[plot]'"
        ) from None


def draw(those: Sequence[Compared], file: IO[bytes]) -> None:
    """Writes a PNG of the curves over one another, the losses on a logarithmic axis where all are positive."""
    from matplotlib.figure import Figure  # without pyplot, which would look for a display

    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.add_subplot()
    for each in those:
        name = f"{each.letter}: {each.job.name or each.job.id}".replace("$", r"\$")  # it begins a formula there
        axes.plot(each.steps, each.losses, label=name, linewidth=1.2)
    losses = np.concatenate([each.losses for each in those])
    losses = losses[np.isfinite(losses)]
    if len(losses) and losses.min() > 0:
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
