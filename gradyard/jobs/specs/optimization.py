"""The losses and optimizers that a spec may name, with their parameters."""

from typing import Annotated, Literal, Self

from pydantic import Field, Tag, model_validator

from gradyard.jobs.strict_model import StrictModel, named

Reduction = Literal["sum", "mean"]
Fraction = Annotated[float, Field(allow_inf_nan=False, ge=0, lt=1)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]
NotNegative = Annotated[float, Field(allow_inf_nan=False, ge=0)]


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


class Sgd(StrictModel):
    """torch.optim.SGD, bit for bit."""

    name: Literal["sgd"]
    momentum: Fraction = 0.0
    nesterov: bool = False
    weight_decay: NotNegative = 0.0

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0")
        return self


class RmsProp(StrictModel):
    """torch.optim.RMSprop, bit for bit."""

    name: Literal["rmsprop"]
    alpha: Fraction = 0.99
    eps: Positive = 1e-8
    momentum: Fraction = 0.0
    weight_decay: NotNegative = 0.0


class Adam(StrictModel):
    """torch.optim.Adam, bit for bit."""

    name: Literal["adam"]
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: Positive = 1e-8
    weight_decay: NotNegative = 0.0


class AdamW(StrictModel):
    """torch.optim.AdamW, bit for bit."""

    name: Literal["adamw"]
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    eps: Positive = 1e-8
    weight_decay: NotNegative = 0.01


class Adagrad(StrictModel):
    """torch.optim.Adagrad, bit for bit."""

    name: Literal["adagrad"]
    eps: Positive = 1e-10
    lr_decay: NotNegative = 0.0
    weight_decay: NotNegative = 0.0


Optimizer = Annotated[Sgd | RmsProp | Adam | AdamW | Adagrad, Field(discriminator="name")]
