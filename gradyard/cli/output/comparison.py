"""Several jobs beside one another: their figures, the parameters in which they differ, and their coefficients."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from gradyard.cli import text
from gradyard.cli.output.listing import Cell, Column, Listing
from gradyard.cli.tables import state_text
from gradyard.shapes import Job
from gradyard.shapes.shown import differences

if TYPE_CHECKING:
    import numpy as np

BEST = "best"


@dataclass(frozen=True)
class Compared:
    """One of the jobs: the letter that stands for it, and its curve, steps and losses of (points,) each."""

    letter: str
    job: Job
    steps: "np.ndarray"
    losses: "np.ndarray"


def compared(jobs: Iterable[Job], curves: "Iterable[tuple[np.ndarray, np.ndarray]]") -> list[Compared]:
    """The jobs with their curves, lettered in their order."""
    return [Compared(*each[:2], *each[2]) for each in zip(ascii_uppercase, jobs, curves, strict=False)]


def best_of(those: Sequence[Compared]) -> str | None:
    """The letter of the succeeded job with the lowest last loss; None where there is none."""
    best = differences.best_of(_jobs(those))
    return None if best is None else those[best].letter


def differing(those: Sequence[Compared]) -> dict[str, list[Any]]:
    """What is not the same in all jobs: parameters, and of those that succeeded the environment."""
    return differences.differing(_jobs(those))


def coefficients(those: Sequence[Compared]) -> dict[str, list[Any]]:
    """The coefficients by letter: their values, in the order of the jobs; None where a job has none."""
    return differences.coefficients(_jobs(those))


def metrics(those: Sequence[Compared]) -> dict[str, list[Any]]:
    """The last, lowest and highest value of each metric, by `NAME.last` and so on, in the order of the jobs."""
    return differences.metrics(_jobs(those))


def figures_table(those: Sequence[Compared]) -> Listing:
    """One line for each job: its losses and its times; the best one is marked."""
    listing = Listing(
        Column(""), Column("id", kind="id"), Column("stage", 3), Column("state"), Column("first loss", 6, right=True),
        Column("last loss", right=True), Column("lowest", 5, right=True), Column("steps", 7, right=True),
        Column("train s", 1, right=True), Column("steps/s", 8, right=True), Column("queued", 9, right=True),
        Column("", 2), Column("name", 4, kind="text"),
    )  # fmt: skip
    best = best_of(those)
    for each in those:
        job, times = each.job, each.job.timings
        seconds = times.get("train_seconds")
        listing.add(
            each.letter, job.id, job.stage, state_text(job.state), text.number(job.loss.get("first")),
            text.number(_last(each)), text.number(job.loss.get("min")), text.count(job.steps_done),
            "-" if seconds is None else f"{seconds:.2f}", text.count(times.get("steps_per_second")),
            text.duration(times.get("queued_seconds")), BEST if each.letter == best else "", job.name or "",
        )  # fmt: skip
    return listing


def values_table(heading: str, rows: Mapping[str, Sequence[Any]], those: Sequence[Compared]) -> Listing:
    """One line for each name, with the value of each job below its letter."""
    listing = Listing(Column(heading), *(Column(each.letter, right=True) for each in those))
    for name, values in rows.items():
        listing.add(name, *map(_cell, values))
    return listing


def as_json(those: Sequence[Compared]) -> dict[str, Any]:
    """The whole comparison for scripts. Lists have a value for each job, in the order of `jobs`."""
    best = best_of(those)
    return {
        "jobs": [
            {"id": each.job.id, "letter": each.letter, "name": each.job.name, "stage": each.job.stage,
             "state": str(each.job.state), "best": each.letter == best, "loss": dict(each.job.loss),
             "timings": dict(each.job.timings)} for each in those
        ],
        "parameters": differing(those), "coefficients": coefficients(those), "metrics": metrics(those),
        "losses": [
            {"steps": each.steps.tolist(), "losses": [_finite_or_none(loss) for loss in each.losses.tolist()]}
            for each in those
        ],
    }  # fmt: skip


def _jobs(those: Sequence[Compared]) -> list[Job]:
    return [each.job for each in those]


def _cell(value: Any) -> Cell:
    if value is None:
        return "-"
    return f"{len(value):,} values" if isinstance(value, list) and len(value) > 4 else str(value)


def _last(each: Compared) -> float | None:
    last: float | None = each.job.loss.get("last")
    return last


def _finite_or_none(loss: float) -> float | None:
    return loss if abs(loss) < float("inf") else None
