"""The stages as facts. It loads without torch: the trainer is a dotted path that the runner alone imports."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs import spec as specs
from jobs.errors import NotFound

COMPILED = ("inductor", "blas")
"""The engines of `execution: compiled`, the best first: graphs of torch.compile, and numpy's matrix products."""

GRAM = {"gram": "workers.trainers.gram:Trainer"}
ON_TORCH = {"inductor": "workers.trainers.static_graph:Trainer"}
ON_NUMPY = {"blas": "workers.trainers.matrix_products:Trainer"}


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
    engines: Mapping[str, str] = field(default_factory=lambda: ON_TORCH)

    def engine_for(self, execution: str, there: Collection[str]) -> str:
        """What a worker that has the engines `there` trains a job of that execution with.

        "compiled" is "eager" where nothing else is there: no compiler, or a trainer that has no other form.
        """
        if execution == "compiled":
            return next((name for name in COMPILED if name in self.engines and name in there), "eager")
        return execution

    def trainer_of(self, engine: str) -> str:
        """The dotted path of the trainer that this engine is."""
        return self.trainer if engine == "eager" else self.engines[engine]

    def executions(self) -> tuple[str, ...]:
        """What a spec of this stage may ask for."""
        return ("eager", "compiled", *(name for name in ("gram",) if name in self.engines))

    def width(self, dtype: str, points: int, engine: str = "eager") -> int:
        """How many members a pack of this stage may have: 131 in float32 at the tutorial's 2,000 points.

        The other engines keep what they work on in registers or in blocks of their own, and are cut by nothing.
        """
        if engine != "eager":
            return self.widest if self.packable else 1
        one = points * (8 if dtype == "float64" else 4)
        return max(1, min(self.widest, self.pack_bytes // one)) if self.packable else 1

    def defaults(self) -> dict[str, Any]:
        """The spec that `{"stage": name}` alone stands for."""
        return self.spec(stage=self.name).as_json()


BUILT_IN = (
    Stage("numpy", "numpy", "gradients by hand, on arrays", specs.NumpySpec,
          "workers.trainers.stage1_numpy:Trainer", devices=("cpu",), engines=ON_NUMPY | GRAM),
    Stage("tensor", "Tensors", "gradients by hand, on tensors of any device", specs.TensorSpec,
          "workers.trainers.stage2_tensor:Trainer", engines=ON_TORCH | GRAM),
    Stage("autograd", "Tensors and autograd", "loss.backward() finds the gradients", specs.AutogradSpec,
          "workers.trainers.stage3_autograd:Trainer", engines=ON_TORCH | GRAM),
    Stage("function", "Defining new autograd functions", "an own torch.autograd.Function: Legendre's P3",
          specs.FunctionSpec, "workers.trainers.stage4_function:Trainer"),
    Stage("nn", "nn", "torch.nn.Sequential and a loss from torch.nn", specs.NnSpec,
          "workers.trainers.stage5_nn:Trainer", engines=ON_TORCH | GRAM),
    Stage("optim", "optim", "torch.optim updates the weights", specs.OptimSpec,
          "workers.trainers.stage6_optim:Trainer", engines=ON_TORCH | GRAM),
    Stage("module", "Custom nn modules", "an own torch.nn.Module, trained by SGD", specs.ModuleSpec,
          "workers.trainers.stage7_module:Trainer", engines=ON_TORCH | GRAM),
    Stage("dynamic", "Control flow and weight sharing", "order 3, 4 or 5, drawn anew each step, sharing e",
          specs.DynamicSpec, "workers.trainers.stage8_control_flow:Trainer"),
)  # fmt: skip

STAGES: dict[str, Stage] = {stage.name: stage for stage in BUILT_IN}


def stage_named(name: str) -> Stage:
    """The stage of that name; NotFound names those there are."""
    if name not in STAGES:
        raise NotFound(f"no stage is named {name!r}; there are {', '.join(STAGES)}")
    return STAGES[name]
