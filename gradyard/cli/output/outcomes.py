"""The results of jobs side by side, with the formulas that they found."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from gradyard.cli import text
from gradyard.cli.output.listing import Column, Listing
from gradyard.cli.tables import state_text
from gradyard.shapes import Job


def outcomes(jobs: Sequence[Job], width: int) -> RenderableType:
    """The results of jobs; the formula is a column if `width` allows it, else a list below the table."""
    whole = _outcomes(jobs, with_formula=True)
    if whole.natural_width() <= width:
        return whole
    formulas = Table.grid(padding=(0, 2))
    formulas.add_column()
    formulas.add_column(overflow="fold")
    for job in jobs:
        formulas.add_row(job.stage, short(text.outcome(job)))
    return Group(_outcomes(jobs, with_formula=False), "", formulas)


def _outcomes(jobs: Sequence[Job], *, with_formula: bool) -> Listing:
    listing = Listing(
        Column("stage"), Column("state"), Column("first loss", 3, right=True), Column("last loss", right=True),
        Column("train s", 2, right=True), Column("steps/s", 1, right=True), Column("queue", 4),
        *([Column("formula")] if with_formula else []),
    )  # fmt: skip
    for job in jobs:
        speed, seconds = job.timings.get("steps_per_second"), job.timings.get("train_seconds")
        listing.add(
            job.stage, state_text(job.state), text.number(job.loss.get("first")), text.number(job.loss.get("last")),
            "-" if seconds is None else f"{seconds:.2f}", text.count(speed), str(job.spec.get("device", "-")),
            *([short(text.outcome(job))] if with_formula else []),
        )  # fmt: skip
    return listing


def short(formula: str) -> str:
    """The formula with four significant digits for each coefficient, for reading."""
    import re

    return re.sub(r"\d+\.\d+(e[+-]?\d+)?|\d+e[+-]?\d+", lambda found: f"{float(found.group()):.4g}", formula)
