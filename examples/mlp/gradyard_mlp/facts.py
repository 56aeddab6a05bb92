"""The facts of the stage: the spec of its jobs, and the path of its trainer. No torch here."""

from typing import Any, Literal

from pydantic import Field

from gradyard.stages import JobSpec, Stage


class MlpSpec(JobSpec):
    """One hidden layer of tanh, trained by gradient descent with momentum on four fifths of the points."""

    stage: Literal["mlp"]
    hidden: int = Field(default=8, ge=1, le=256, description="units of the hidden layer")
    learning_rate: float = Field(default=0.05, gt=0, allow_inf_nan=False, description="the size of a step")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="how much of the last update is made again")
    measure_every: int = Field(default=10, ge=1, le=1_000_000, description="steps between two measures")

    def shape(self) -> list[Any]:
        """Members of a pack agree in these; each has a seed, a learning rate, a momentum and data of its own."""
        return [self.hidden, self.steps, self.dataset.points, self.measure_every]


STAGE = Stage(
    name="mlp",
    title="Multilayer perceptron",
    description="one hidden layer of tanh, fitted by gradient descent with momentum",
    spec=MlpSpec,
    trainer="gradyard_mlp.trainer:Trainer",
    widest=64,
    metric="held_out_loss",
    mode="min",
)
