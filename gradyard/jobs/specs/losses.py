"""The losses that a spec may name, with their parameters."""

from typing import Annotated, Literal

from pydantic import Tag

from gradyard.jobs.strict_model import Positive, StrictModel, named

Reduction = Literal["sum", "mean"]


class MeanSquaredError(StrictModel):
    """(y_pred - y)^2, as torch.nn.MSELoss."""

    name: Literal["mse"] = "mse"
    reduction: Reduction = "sum"


class AbsoluteError(StrictModel):
    """|y_pred - y|, as torch.nn.L1Loss."""

    name: Literal["l1"]
    reduction: Reduction = "sum"


class SmoothAbsoluteError(StrictModel):
    """Quadratic for errors below `beta`, linear above, as torch.nn.SmoothL1Loss."""

    name: Literal["smooth_l1"]
    reduction: Reduction = "sum"
    beta: Positive = 1.0


class HuberError(StrictModel):
    """Quadratic for errors below `delta`, linear above, as torch.nn.HuberLoss."""

    name: Literal["huber"]
    reduction: Reduction = "sum"
    delta: Positive = 1.0


Loss = Annotated[
    Annotated[MeanSquaredError, Tag("mse")]
    | Annotated[AbsoluteError, Tag("l1")]
    | Annotated[SmoothAbsoluteError, Tag("smooth_l1")]
    | Annotated[HuberError, Tag("huber")],
    named("name", "mse"),
]
