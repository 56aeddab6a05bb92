"""The stages as facts. It loads without torch: the trainer is a dotted path that the runner alone imports."""

from dataclasses import dataclass
from typing import Any

from jobs import spec as specs
from jobs.errors import NotFound


@dataclass(frozen=True)
class Stage:
    """What is known of a stage without loading its trainer.

    `pack_bytes` is how large one array of a pack, (members, points), may grow before it falls out of the cache and a
    member trains slower than alone; `widest` caps the members all the same. `numerics_version` is raised by hand
    whenever the stage's arithmetic changes, so that no checkpoint is resumed by other arithmetic.
    """

    name: str
    title: str
    description: str
    spec: type[specs.JobSpec]
    trainer: str
    devices: tuple[str, ...] = ("cpu", "gpu")
    packable: bool = True
    pack_bytes: int = 2**20
    widest: int = 512
    numerics_version: int = 1

    def width(self, dtype: str, points: int) -> int:
        """How many members a pack of this stage may have: 131 in float32 at the tutorial's 2,000 points."""
        one = points * (8 if dtype == "float64" else 4)
        return max(1, min(self.widest, self.pack_bytes // one)) if self.packable else 1

    def defaults(self) -> dict[str, Any]:
        """The spec that `{"stage": name}` alone stands for."""
        return self.spec(stage=self.name).as_json()


BUILT_IN = (
    Stage("numpy", "numpy", "gradients by hand, on arrays", specs.NumpySpec,
          "workers.trainers.stage1_numpy:Trainer", devices=("cpu",)),
    Stage("tensor", "Tensors", "gradients by hand, on tensors of any device", specs.TensorSpec,
          "workers.trainers.stage2_tensor:Trainer"),
    Stage("autograd", "Tensors and autograd", "loss.backward() finds the gradients", specs.AutogradSpec,
          "workers.trainers.stage3_autograd:Trainer"),
    Stage("function", "Defining new autograd functions", "an own torch.autograd.Function: Legendre's P3",
          specs.FunctionSpec, "workers.trainers.stage4_function:Trainer"),
    Stage("nn", "nn", "torch.nn.Sequential and a loss from torch.nn", specs.NnSpec,
          "workers.trainers.stage5_nn:Trainer"),
    Stage("optim", "optim", "torch.optim updates the weights", specs.OptimSpec,
          "workers.trainers.stage6_optim:Trainer"),
    Stage("module", "Custom nn modules", "an own torch.nn.Module, trained by SGD", specs.ModuleSpec,
          "workers.trainers.stage7_module:Trainer"),
    Stage("dynamic", "Control flow and weight sharing", "order 3, 4 or 5, drawn anew each step, sharing e",
          specs.DynamicSpec, "workers.trainers.stage8_control_flow:Trainer"),
)  # fmt: skip

STAGES: dict[str, Stage] = {stage.name: stage for stage in BUILT_IN}


def stage_named(name: str) -> Stage:
    """The stage of that name; NotFound names those there are."""
    if name not in STAGES:
        raise NotFound(f"no stage is named {name!r}; there are {', '.join(STAGES)}")
    return STAGES[name]
