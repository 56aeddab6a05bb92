"""The specs of the eight built-in stages: one model each, with only the parameters of its stage."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gradyard.jobs.specs.base import Dtype, JobSpec, Steps
from gradyard.jobs.specs.losses import Loss, MeanSquaredError
from gradyard.jobs.specs.optimizers import Optimizer, RmsProp, Sgd
from gradyard.jobs.strict_model import Finite, Positive

COEFFICIENTS = "abcdefghij"
InitialCoefficients = dict[Literal["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], Finite]
_WHERE = "where the coefficients start: as the tutorial has it, drawn from a normal distribution, or numbers by letter"
Init = Annotated[Literal["default", "normal"] | InitialCoefficients, Field(description=_WHERE)]
Scale = Literal["none", "standard", "minmax"]
Scaled = Annotated[
    Scale,
    Field(description="how x and y are scaled before training; results are in the units of the data all the same"),
]
LearningRate = Annotated[
    Positive | Literal["auto"], Field(description="`auto`: the rate that the curvature of the data allows")
]
Optimized = Annotated[Optimizer, Field(description="which rule of torch.optim updates the weights")]


class CoefficientsSpec(JobSpec):
    """A stage whose model has the coefficients a, b, c, ..."""

    linear_in_coefficients: ClassVar[bool] = True

    learning_rate: LearningRate = 1e-6
    init: Init = "default"
    loss: Loss = Field(default=MeanSquaredError(), description="what is made small")

    @property
    def coefficient_names(self) -> str:
        """The names of the model's coefficients, in order."""
        return COEFFICIENTS[:4]

    @property
    def has_noise(self) -> bool:
        """Whether its data have noise, which is drawn from the seed."""
        return bool(getattr(self.dataset, "noise", 0.0))

    @property
    def draws(self) -> bool:
        """Whether anything is drawn from the seed."""
        return isinstance(self.init, str) or self.has_noise

    @property
    def highest_power(self) -> int:
        """The highest power of x in the model."""
        return 3

    @property
    def scales(self) -> Scale:
        """How x and y are scaled before training; a model that has no such parameter is trained on what was sent."""
        chosen: Scale = self.__dict__.get("scale", "none")
        return chosen

    @model_validator(mode="after")
    def _init_names_every_coefficient(self) -> Self:
        if isinstance(self.init, dict) and sorted(self.init) != sorted(self.coefficient_names):
            message = f"must give a number for each of {', '.join(self.coefficient_names)} and for nothing else"
            raise PydanticCustomError("at_init", message)
        return self

    @model_validator(mode="after")
    def _auto_has_a_limit_to_start_from(self) -> Self:
        if self.learning_rate == "auto" and not self.descends_a_quadratic:
            message = '"auto" is for models linear in their coefficients, with loss mse and plain gradient descent'
            raise PydanticCustomError("at_learning_rate", message)
        return self

    @property
    def has_a_quadratic_loss(self) -> bool:
        """Whether the loss is a quadratic of the coefficients, so that its least value is known."""
        return self.linear_in_coefficients and self.loss.name == "mse"

    @property
    def descends_a_quadratic(self) -> bool:
        """Whether training is plain gradient descent on a quadratic, so that a stability limit is known."""
        optimizer = self.__dict__.get("optimizer")
        plain = optimizer is None or (optimizer.name == "sgd" and not optimizer.momentum and not optimizer.weight_decay)
        return self.has_a_quadratic_loss and plain

    def shape(self) -> list[Any]:
        """Members may differ in seed, init, learning rate, the optimizer's other numbers, and the data."""
        return [
            len(self.coefficient_names), self.steps, self.dataset.points, self.loss.name, self.loss.reduction,
            _slots(self.__dict__.get("optimizer")), *([self.scales] if self.scales != "none" else []),
        ]  # fmt: skip


class PolynomialSpec(CoefficientsSpec):
    """A stage that fits a polynomial of a chosen degree."""

    degree: int = Field(default=3, ge=0, le=9, description="the highest power of x")
    scale: Scaled = "none"

    @property
    def highest_power(self) -> int:
        """The highest power of x in the model."""
        return self.degree

    @property
    def coefficient_names(self) -> str:
        """The names of the model's coefficients, in order."""
        return COEFFICIENTS[: self.degree + 1]


class NumpySpec(PolynomialSpec):
    """A job of stage 1, `numpy`."""

    stage: Literal["numpy"]
    device: Literal["cpu"] = Field(default="cpu", description="numpy trains on the CPU alone")
    dtype: Dtype = "float64"


class TensorSpec(PolynomialSpec):
    """A job of stage 2, `tensor`."""

    stage: Literal["tensor"]


class AutogradSpec(PolynomialSpec):
    """A job of stage 3, `autograd`."""

    stage: Literal["autograd"]


class FunctionSpec(CoefficientsSpec):
    """A job of stage 4, `function`: a Legendre polynomial, which has no degree."""

    linear_in_coefficients: ClassVar[bool] = False

    stage: Literal["function"]
    learning_rate: LearningRate = 5e-6
    scale: Scaled = "none"

    @property
    def draws(self) -> bool:
        """Whether anything is drawn from the seed. Its default start is a fixed one."""
        return self.init == "normal" or self.has_noise


class NnSpec(PolynomialSpec):
    """A job of stage 5, `nn`."""

    stage: Literal["nn"]


class OptimSpec(PolynomialSpec):
    """A job of stage 6, `optim`."""

    stage: Literal["optim"]
    learning_rate: LearningRate = 1e-3
    optimizer: Optimized = RmsProp(name="rmsprop")


class ModuleSpec(PolynomialSpec):
    """A job of stage 7, `module`."""

    stage: Literal["module"]
    optimizer: Optimized = Sgd(name="sgd")


class DynamicSpec(CoefficientsSpec):
    """A job of stage 8, `dynamic`: its order is drawn anew at each step, so it has no degree."""

    linear_in_coefficients: ClassVar[bool] = False  # it is, but it changes at each step: no single limit holds

    stage: Literal["dynamic"]
    steps: Steps = 30_000
    learning_rate: LearningRate = 1e-8
    optimizer: Optimized = Sgd(name="sgd", momentum=0.9)

    @property
    def draws(self) -> bool:
        """Whether anything is drawn from the seed: always, the order of each step."""
        return True

    @property
    def highest_power(self) -> int:
        """The highest power of x in the model."""
        return 5

    @property
    def coefficient_names(self) -> str:
        """The names of the model's coefficients, in order."""
        return COEFFICIENTS[:5]


def _slots(optimizer: Any) -> list[Any] | None:
    """The optimizer's name and options, as far as they decide which arrays are its state."""
    if optimizer is None:
        return None
    return [optimizer.name, bool(getattr(optimizer, "momentum", 0.0)), getattr(optimizer, "nesterov", False)]
