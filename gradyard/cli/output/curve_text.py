"""Curves as CSV and as JSON, digit for digit, and drawn below one another."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from gradyard.cli.job_details import CURVE_HEIGHT, WIDEST
from gradyard.cli.output.loss_chart import curve
from gradyard.cli.terminal import console

if TYPE_CHECKING:
    import numpy as np

    Curve = tuple[np.ndarray, np.ndarray]
    """Steps and values, of equal length."""


def csv_of(curves: "Mapping[str, Curve]", value: str, *, several: bool) -> Iterator[str]:
    """A heading, and a line for each value: its step and the value; where there are several jobs, the job first."""
    yield f"job,step,{value}\n" if several else f"step,{value}\n"
    for job_id, (steps, values) in curves.items():
        before = f"{job_id}," if several else ""
        # str() of a float32 has the fewest digits that read back as the same float32
        yield from (f"{before}{step},{each!s}\n" for step, each in zip(steps.tolist(), values, strict=True))


def json_of(curves: "Mapping[str, Curve]", values: str, *, several: bool) -> str:
    """What the service answers of one job; of several `{"curves": […]}`, each with its job."""
    shown = [_shown(curve, values) for curve in curves.values()]
    if several:
        return json.dumps({"curves": [{"job": job, **each} for job, each in zip(curves, shown, strict=True)]})
    return json.dumps(shown[0])


def _shown(of_job: "Curve", name: str) -> dict[str, Any]:
    steps, values = of_job
    shortest = (float(str(each)) for each in values)  # float64 would show digits that a float32 does not have
    return {"steps": steps.tolist(), name: [each if math.isfinite(each) else None for each in shortest]}


def draw(curves: "Mapping[str, Curve]", *, several: bool) -> None:
    """Draws each curve, below its job where there are several."""
    width = min(console().width, WIDEST)
    for job_id, (steps, values) in curves.items():
        if several:
            console().print(Text(job_id, style="dim"))
        typer.echo("\n".join(curve(values, steps=steps, width=width, height=CURVE_HEIGHT + 4)))
