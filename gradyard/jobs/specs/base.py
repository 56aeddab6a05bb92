"""`JobSpec`: the parameters that every stage understands. The spec of a stage adds its own."""

import hashlib
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gradyard.jobs.specs.datasets import Dataset, FunctionData
from gradyard.jobs.specs.dependencies import Dependencies
from gradyard.jobs.strict_model import StrictModel


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character U+0000, which no database stores")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
MOST_TAGS = 32
LARGEST_SEED = 2**53 - 1  # the largest whole number that every reader of JSON holds
Name = Annotated[Text, Field(max_length=200)]
TagKey = Annotated[Text, Field(min_length=1, max_length=64)]
TagValue = Annotated[Text, Field(max_length=256)]
Priority = Annotated[
    int, Field(ge=-100, le=100, description="among the jobs of its project, those of a higher one go first")
]
Steps = Annotated[int, Field(ge=1, description="how often the weights are updated")]

# The figures are those of the tutorial's data.
_TOO_COARSE = {
    "float16": "is too coarse: a loss summed over 2,000 points starts above 65,504, its largest number",
    "bfloat16": "is too coarse: with 8 bits of precision it loses every update below 1/256 of a weight",
}


def _fine_enough(dtype: Any) -> Any:
    if isinstance(dtype, str) and dtype in _TOO_COARSE:
        raise PydanticCustomError("too_coarse", f'must be "float32" or "float64"; {dtype} {_TOO_COARSE[dtype]}')
    return dtype


Dtype = Annotated[
    Literal["float32", "float64"], BeforeValidator(_fine_enough), Field(description="the numbers that it computes with")
]


class JobSpec(StrictModel):
    """The parameters of every stage. A stage's own model has `stage` as a `Literal`, and parameters of its own."""

    stage: str
    name: Name | None = Field(default=None, description="for people; need not be unique")
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict,
        json_schema_extra={"default": {}},
        max_length=MOST_TAGS,
        description="texts by key, to find it by",
    )
    dataset: Dataset = Field(default=FunctionData(), description="what it is trained on")
    steps: Steps = 2000
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="all that is drawn depends on it alone")
    device: Literal["cpu", "gpu", "auto"] = Field(
        default="cpu", description="what trains it; `auto`: the one on which such work ends sooner"
    )
    pool: Annotated[Text, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="only workers that were started for this pool take it"
    )
    gpu_memory_mib: int | None = Field(
        default=None, ge=1, le=2**24, description="only a GPU with this much memory takes it"
    )
    execution: Literal["eager", "compiled", "gram"] = Field(
        default="eager", description="`eager`: step by step, the same bits on each machine of a kind; "
        "`compiled` and `gram` are faster, and agree within a tolerance",
    )  # fmt: skip
    dtype: Dtype = "float32"
    priority: Priority = 0
    timeout_seconds: float = Field(
        default=3600.0, gt=0, le=30 * 86400, allow_inf_nan=False, description="how long one attempt may train"
    )
    max_retries: int = Field(default=2, ge=0, le=100, description="how often it is tried again after an error")
    depends_on: Dependencies | None = Field(default=None, description="jobs and batches that must have ended before")

    @property
    def descends_a_quadratic(self) -> bool:
        """Whether training is plain gradient descent on a quadratic, so that a stability limit is known."""
        return False

    @model_validator(mode="after")
    def _gram_needs_a_quadratic(self) -> Self:
        if self.execution == "gram" and not self.descends_a_quadratic:
            message = '"gram" is for models linear in their coefficients, with loss mse and plain gradient descent'
            raise PydanticCustomError("at_execution", message)
        return self

    @model_validator(mode="after")
    def _memory_needs_a_gpu(self) -> Self:
        if self.gpu_memory_mib is not None and self.device == "cpu":
            raise PydanticCustomError("at_gpu_memory_mib", 'is for jobs with device "gpu" or "auto"')
        return self

    def as_json(self) -> dict[str, Any]:
        """The spec with every default filled in; without what the job waits for, which changes no number of it."""
        return self.model_dump(mode="json", exclude={"depends_on"})

    def shape(self) -> list[Any]:
        """What the members of a pack must agree in, beside stage, execution and dtype. All else may differ.

        By default: steps, points, and every parameter that the stage's own model adds. A stage whose trainer takes a
        learning rate for each member, for example, leaves the learning rate out.
        """
        own = self.as_json()
        return [self.steps, self.dataset.points, {name: own[name] for name in own if name not in JobSpec.model_fields}]

    def pack_key(self, numerics_version: int) -> str:
        """Jobs of equal keys and start steps can train as one program: shapes and arithmetic agree, numbers differ."""
        alike = [self.stage, numerics_version, self.execution, self.dtype, *self.shape(), *self.dataset.shared_by_pack]
        return hashlib.sha256(_in_order(alike)).hexdigest()


WITHOUT_EFFECT = {"name", "tags", "priority", "pool", "gpu_memory_mib", "timeout_seconds", "max_retries", "device"}


def sha256_of(spec: dict[str, Any]) -> str:
    """A hash of a spec (as JSON) without what changes no number of the result, such as name, tags, priority, limits."""
    return hashlib.sha256(hashed_part(spec)).hexdigest()


def hashed_part(spec: dict[str, Any]) -> bytes:
    """What `sha256_of` hashes."""
    alike = dict(spec)
    for name in WITHOUT_EFFECT:
        alike.pop(name, None)
    return _in_order(alike)


def _in_order(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
