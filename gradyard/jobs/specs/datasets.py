"""What a job may be trained on, as a request describes it; the runner makes the arrays."""

from typing import Annotated, Literal, Self

from pydantic import FailFast, Field, Tag, model_validator

from gradyard.jobs.strict_model import Finite, StrictModel, named

FunctionName = Literal["sin", "cos", "exp", "tanh", "step", "abs", "gauss"]


class FunctionData(StrictModel):
    """A function on an even grid, with seeded normal noise of standard deviation `noise` on y."""

    kind: Literal["function"] = "function"
    function: FunctionName = "sin"
    start: Finite = -3.141592653589793
    stop: Finite = 3.141592653589793
    points: int = Field(default=2000, ge=1)
    noise: Finite = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _grid_runs_forward(self) -> Self:
        if self.start >= self.stop:
            raise ValueError("start must be less than stop")
        return self


class InlineData(StrictModel):
    """Points given in the request itself: x and y of one length."""

    kind: Literal["inline"]
    x: Annotated[list[Finite], FailFast()] = Field(min_length=1)  # one wrong value is said, not a million
    y: Annotated[list[Finite], FailFast()] = Field(min_length=1)

    @model_validator(mode="after")
    def _lengths_agree(self) -> Self:
        if len(self.x) != len(self.y):
            raise ValueError(f"x has {len(self.x)} values and y has {len(self.y)}; they must be as many")
        return self

    @property
    def points(self) -> int:
        """How many points there are."""
        return len(self.x)


Dataset = Annotated[
    Annotated[FunctionData, Tag("function")] | Annotated[InlineData, Tag("inline")], named("kind", "function")
]
