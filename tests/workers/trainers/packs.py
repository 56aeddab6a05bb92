"""Members and packs for the tests of the trainers, and how to train them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from gradyard.testing import packs
from gradyard.testing.packs import Member, assert_same_bits, load_trainer, rows, train
from workers.trainers.contract import FindsCoefficients, Trainer

__all__ = ["Member", "assert_same_bits", "rows", "train"]  # handed on

MODULES: Mapping[str, str] = {
    "numpy": "stage1_numpy",
    "tensor": "stage2_tensor",
    "autograd": "stage3_autograd",
    "function": "stage4_function",
    "nn": "stage5_nn",
    "optim": "stage6_optim",
    "module": "stage7_module",
    "dynamic": "stage8_control_flow",
}
STAGES = tuple(MODULES)
WITH_DEGREE = ("numpy", "tensor", "autograd", "nn", "optim", "module")
WITH_OPTIMIZER = ("optim", "module", "dynamic")

LEARNING_RATES = {"function": 5e-6, "optim": 1e-3, "dynamic": 1e-8}

OPTIMIZERS: Mapping[str, dict[str, Any]] = {
    "sgd": {"name": "sgd", "momentum": 0.0, "nesterov": False, "weight_decay": 0.0},
    "rmsprop": {"name": "rmsprop", "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "weight_decay": 0.0},
    "adam": {"name": "adam", "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0},
    "adamw": {"name": "adamw", "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01},
    "adagrad": {"name": "adagrad", "eps": 1e-10, "lr_decay": 0.0, "weight_decay": 0.0},
}
_OPTIMIZER_OF = {
    "optim": OPTIMIZERS["rmsprop"],
    "module": OPTIMIZERS["sgd"],
    "dynamic": OPTIMIZERS["sgd"] | {"momentum": 0.9},
}


def member(stage: str, **changes: Any) -> Member:
    """The tutorial's job of that stage. `points` and `noise` change its dataset, everything else the job itself."""
    dataset = {
        "kind": "function",
        "function": "sin",
        "start": -math.pi,
        "stop": math.pi,
        "points": changes.pop("points", 2000),
        "noise": changes.pop("noise", 0.0),
    }
    made: Member = {
        "stage": stage,
        "dataset": dataset,
        "steps": 100,
        "learning_rate": LEARNING_RATES.get(stage, 1e-6),
        "seed": 7,
        "init": "default",
        "loss": {"name": "mse", "reduction": "sum"},
        "dtype": "float64" if stage == "numpy" else "float32",
    }
    if stage in WITH_DEGREE:
        made["degree"] = 3
    if stage in WITH_OPTIMIZER:
        made["optimizer"] = _OPTIMIZER_OF[stage]
    return made | changes


def pack(stage: str, width: int, **changes: Any) -> list[Member]:
    """Jobs that differ in their seeds only."""
    return [member(stage, **changes) | {"seed": 100 + index} for index in range(width)]


def differing(members: Sequence[Member]) -> list[Member]:
    """The same members, each with numbers of its own wherever a pack allows it."""
    changed = []
    for index, each in enumerate(members):
        factor = 1.0 / (1.0 + 0.01 * index)
        each = each | {"learning_rate": each["learning_rate"] * factor, "loss": dict(each["loss"])}
        for name in {"beta", "delta"} & each["loss"].keys():
            each["loss"][name] *= factor
        if "optimizer" in each:
            each["optimizer"] = {name: _scaled(name, value, factor) for name, value in each["optimizer"].items()}
        changed.append(each)
    return changed


def _scaled(name: str, value: Any, factor: float) -> Any:
    if isinstance(value, str | bool):
        return value
    return value * (1.0 - (1.0 - factor) / 8) if name in ("beta1", "beta2", "alpha") else value * factor


class TrainerWithCoefficients(Trainer, FindsCoefficients, Protocol):
    """What the eight trainers are."""


def trainer_of(members: Sequence[Member], device: str = "cpu") -> TrainerWithCoefficients:
    """The trainer of the members' stage."""
    path = f"workers.trainers.{MODULES[members[0]['stage']]}:Trainer"
    return cast(TrainerWithCoefficients, load_trainer(path, members, device))


def assert_alone_equals_packed(members: list[Member], chosen: list[int], steps: int) -> None:
    packs.assert_alone_equals_packed(trainer_of, members, chosen, steps)


def assert_resumes_bitwise(members: list[Member], stop: int, steps: int) -> None:
    packs.assert_resumes_bitwise(trainer_of, members, stop, steps)


def assert_resumes_in_other_company(members: list[Member], stop: int, steps: int) -> None:
    """Of a pack that is stopped, the last member goes on alone, and in a smaller pack."""
    for staying in ([len(members) - 1], list(range(len(members) // 2, len(members)))):
        packs.assert_others_may_leave(trainer_of, members, staying, stop, steps)
