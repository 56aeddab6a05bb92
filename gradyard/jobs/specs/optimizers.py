"""The optimizers that a spec may name, with their parameters."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gradyard.jobs.strict_model import Positive, StrictModel

Fraction = Annotated[float, Field(allow_inf_nan=False, ge=0, lt=1)]
NotNegative = Annotated[float, Field(allow_inf_nan=False, ge=0)]


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
