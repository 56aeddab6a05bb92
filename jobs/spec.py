"""What a job may ask for: `JobSpec` and one model a stage, each with only the parameters that its stage understands."""

import hashlib
from typing import Annotated, Any, ClassVar, Literal, Self

import orjson
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from jobs.datasets import Dataset, Finite, FunctionData, Part
from jobs.optimization import Loss, MeanSquaredError, Optimizer, Positive, RmsProp, Sgd

LETTERS = "abcdefghij"


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character U+0000, which no database stores")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
Letters = dict[Literal["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], Finite]
Init = Literal["default", "normal"] | Letters


class JobSpec(Part):
    """What every stage understands."""

    # The dataset's function data and the model's letters vary; these say how for the stage at hand.
    linear_in_coefficients: ClassVar[bool] = True

    stage: str
    name: Annotated[Text, Field(max_length=200)] | None = None
    tags: Annotated[
        dict[Annotated[Text, Field(min_length=1, max_length=64)], Annotated[Text, Field(max_length=256)]],
        Field(max_length=32),
    ] = {}
    dataset: Dataset = FunctionData()
    steps: int = Field(default=2000, ge=1)
    learning_rate: Positive | Literal["auto"] = 1e-6
    seed: int = Field(default=0, ge=0, le=2**53 - 1)
    init: Init = "default"
    loss: Loss = MeanSquaredError()
    device: Literal["cpu", "gpu", "auto"] = "cpu"
    pool: Annotated[Text, Field(min_length=1, max_length=64)] | None = None
    gpu_memory_mib: int | None = Field(default=None, ge=1, le=2**24)
    execution: Literal["eager", "compiled", "gram"] = "eager"
    dtype: Literal["float32", "float64"] = "float32"
    priority: int = Field(default=0, ge=-100, le=100)
    timeout_seconds: float = Field(default=3600.0, gt=0, le=30 * 86400, allow_inf_nan=False)
    max_retries: int = Field(default=2, ge=0, le=100)

    @property
    def letters(self) -> str:
        """The model's coefficients, in order."""
        return LETTERS[:4]

    @model_validator(mode="after")
    def _init_names_every_coefficient(self) -> Self:
        if isinstance(self.init, dict) and sorted(self.init) != sorted(self.letters):
            message = f"must give a number for each of {', '.join(self.letters)} and for nothing else"
            raise PydanticCustomError("at_init", message)
        return self

    @model_validator(mode="after")
    def _auto_has_a_limit_to_start_from(self) -> Self:
        if self.learning_rate == "auto" and not self.descends_a_quadratic:
            message = '"auto" is for models linear in their coefficients, with loss mse and plain gradient descent'
            raise PydanticCustomError("at_learning_rate", message)
        return self

    @model_validator(mode="after")
    def _gram_has_a_quadratic(self) -> Self:
        if self.execution == "gram" and not self.descends_a_quadratic:
            message = '"gram" is for models linear in their coefficients, with loss mse and plain gradient descent'
            raise PydanticCustomError("at_execution", message)
        return self

    @model_validator(mode="after")
    def _memory_is_a_gpus(self) -> Self:
        if self.gpu_memory_mib is not None and self.device == "cpu":
            raise PydanticCustomError("at_gpu_memory_mib", 'is for jobs with device "gpu" or "auto"')
        return self

    @property
    def descends_a_quadratic(self) -> bool:
        """Whether training is plain gradient descent on a quadratic, so that a stability limit is known."""
        optimizer = getattr(self, "optimizer", None)
        plain = optimizer is None or (optimizer.name == "sgd" and not optimizer.momentum and not optimizer.weight_decay)
        return self.linear_in_coefficients and self.loss.name == "mse" and plain

    def as_json(self) -> dict[str, Any]:
        """The spec with every default filled in."""
        return self.model_dump(mode="json")

    def pack_key(self, numerics_version: int) -> str:
        """Jobs of equal keys and start step train as one program: the same shapes and arithmetic, other numbers."""
        return _digest([
            self.stage, numerics_version, self.execution, self.dtype, len(self.letters), self.steps,
            self.dataset.points, self.loss.name, self.loss.reduction, _slots(getattr(self, "optimizer", None)),
        ])  # fmt: skip


class PolynomialSpec(JobSpec):
    """A stage that fits a polynomial of a chosen degree."""

    degree: int = Field(default=3, ge=0, le=9)

    @property
    def letters(self) -> str:
        """The model's coefficients, in order."""
        return LETTERS[: self.degree + 1]


class NumpySpec(PolynomialSpec):
    """Stage 1."""

    stage: Literal["numpy"]
    device: Literal["cpu"] = "cpu"
    dtype: Literal["float32", "float64"] = "float64"


class TensorSpec(PolynomialSpec):
    """Stage 2."""

    stage: Literal["tensor"]


class AutogradSpec(PolynomialSpec):
    """Stage 3."""

    stage: Literal["autograd"]


class FunctionSpec(JobSpec):
    """Stage 4: a Legendre polynomial, so it has no degree."""

    linear_in_coefficients: ClassVar[bool] = False

    stage: Literal["function"]
    learning_rate: Positive | Literal["auto"] = 5e-6


class NnSpec(PolynomialSpec):
    """Stage 5."""

    stage: Literal["nn"]


class OptimSpec(PolynomialSpec):
    """Stage 6."""

    stage: Literal["optim"]
    learning_rate: Positive | Literal["auto"] = 1e-3
    optimizer: Optimizer = RmsProp(name="rmsprop")


class ModuleSpec(PolynomialSpec):
    """Stage 7."""

    stage: Literal["module"]
    optimizer: Optimizer = Sgd(name="sgd")


class DynamicSpec(JobSpec):
    """Stage 8: the order is drawn anew each step, so it has no degree."""

    linear_in_coefficients: ClassVar[bool] = False  # it is, but in another model each step: no one limit holds

    stage: Literal["dynamic"]
    steps: int = Field(default=30_000, ge=1)
    learning_rate: Positive | Literal["auto"] = 1e-8
    optimizer: Optimizer = Sgd(name="sgd", momentum=0.9)

    @property
    def letters(self) -> str:
        """The model's coefficients, in order."""
        return LETTERS[:5]


FREE = {"name", "tags", "priority", "pool", "gpu_memory_mib", "timeout_seconds", "max_retries", "device"}


def sha256_of(spec: dict[str, Any]) -> str:
    """The hash of what decides the numbers of a spec (as JSON) and nothing else: not name, tags, priority or limits."""
    return _digest({name: value for name, value in spec.items() if name not in FREE})


def _slots(optimizer: Any) -> list[Any] | None:
    """The optimizer's name and which of its slots exist: what decides the arrays that it keeps."""
    if optimizer is None:
        return None
    return [optimizer.name, bool(getattr(optimizer, "momentum", 0.0)), getattr(optimizer, "nesterov", False)]


def _digest(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
