"""What "best" means: by which figure of a job, and whether its smallest or its largest value is the best."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.questions import columns
from gradyard.jobs.questions.nodes import name_parts
from gradyard.jobs.questions.order import Order
from gradyard.jobs.questions.terms import Column, Kind, Source
from gradyard.jobs.stages.plugins import METRIC
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.stages.stage import Mode, Stage
from gradyard.jobs.validation.suggestions import did_you_mean

LOSSES = {"loss": "loss_last", **{name: name for name in ("loss_last", "loss_min", "loss_first")}}
SECONDS = ("train_seconds", "setup_seconds")


@dataclass(frozen=True)
class Aim:
    """A figure of a job, and whether its smallest or its largest value is the best."""

    column: Column
    mode: Mode

    @property
    def order(self) -> Order:
        """The best job first."""
        return Order(self.column, self.mode == "max")

    @property
    def name(self) -> str:
        """The figure as a question calls it: `loss_last`, `metrics.accuracy.last`."""
        column = self.column
        return f"metrics.{column.name}.{column.figure}" if column.source is Source.METRIC else column.name


def aim(metric: str, mode: Mode | None) -> Aim:
    """The aim that a request names. A metric without a figure is that of the final weights.

    Raises SpecInvalid where there is no such figure, or where only the sender knows whether less of it is better.
    """
    column = _column(metric)
    mode = mode or _usual_mode(column)
    if mode is None:
        message = f"say min or max: whether the smallest or the largest {metric[:100]} is the best"
        raise SpecInvalid([FieldProblem("/mode", message)])
    return Aim(column, mode)


def aim_of(stage: Stage, mode: Mode | None = None) -> Aim:
    """The aim of a stage, by its own facts; mode: in place of its own."""
    return Aim(_column(stage.metric), mode or stage.mode)


def usual_aim(mode: Mode | None = None) -> Aim:
    """The aim of a stage that says none: the smallest last loss."""
    return Aim(_column("loss"), mode or "min")


def other_aims(mode: Mode | None = None) -> Mapping[str, Aim]:
    """The aims of stages that have not the usual one, by stage."""
    aims = {name: aim_of(stage, mode) for name, stage in STAGES.items()}
    return {name: each for name, each in aims.items() if each != usual_aim(mode)}


def _column(metric: str) -> Column:
    parts = _parts(metric)
    if (name := LOSSES.get(metric, metric)) in (*LOSSES, *SECONDS):
        return Column(Source.FIELD, name, Kind.NUMBER)
    if parts is not None and (known := columns.column(parts)) is not None:
        if known.source is Source.METRIC:
            return known
        message = f"{metric[:100]} is no result; name loss, loss_min, a metric, or one of {', '.join(SECONDS)}"
        raise SpecInvalid([FieldProblem("/metric", message)])
    before, _, figure = metric.rpartition(".")
    if figure not in columns.FIGURES or not before:
        before, figure = metric, "last"
    if not METRIC.fullmatch(before):
        hint = did_you_mean(metric, LOSSES) or "; name loss, loss_min, or a metric"
        raise SpecInvalid([FieldProblem("/metric", f"no metric is called {metric[:100]}{hint}")])
    return Column(Source.METRIC, before, Kind.NUMBER, figure)


def _parts(metric: str) -> tuple[str, ...] | None:
    try:
        return name_parts(ast.parse(metric.strip(), mode="eval").body)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _usual_mode(column: Column) -> Mode | None:
    if column.source is Source.FIELD:
        return "min"
    modes = {stage.mode for stage in STAGES.values() if _column(stage.metric).name == column.name}
    return modes.pop() if len(modes) == 1 else None
