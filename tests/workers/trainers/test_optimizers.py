"""The update rules written out against torch.optim itself, bit for bit."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.workers.trainers.packs import OPTIMIZERS, Member, differing, member
from workers.trainers.models.order_plan import Participants
from workers.trainers.optimizers.member_optimizers import TorchOptimizer, WrittenOutOptimizer, optimizer_of

VARIANTS: dict[str, dict[str, Any]] = {
    "sgd": OPTIMIZERS["sgd"],
    "sgd decay": OPTIMIZERS["sgd"] | {"weight_decay": 0.1},
    "sgd momentum": OPTIMIZERS["sgd"] | {"momentum": 0.9},
    "sgd momentum decay": OPTIMIZERS["sgd"] | {"momentum": 0.9, "weight_decay": 0.1},
    "sgd nesterov": OPTIMIZERS["sgd"] | {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "rmsprop": OPTIMIZERS["rmsprop"],
    "rmsprop all": OPTIMIZERS["rmsprop"] | {"momentum": 0.7, "weight_decay": 0.1, "alpha": 0.8},
    "adam": OPTIMIZERS["adam"],
    "adam all": OPTIMIZERS["adam"] | {"beta1": 0.4, "beta2": 0.99, "weight_decay": 0.1},
    "adamw": OPTIMIZERS["adamw"],
    "adamw no decay": OPTIMIZERS["adamw"] | {"weight_decay": 0.0},
    "adagrad": OPTIMIZERS["adagrad"],
    "adagrad all": OPTIMIZERS["adagrad"] | {"lr_decay": 0.05, "weight_decay": 0.1},
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)
every_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def parameters(width: int, dtype: torch.dtype) -> list[torch.Tensor]:
    """Shapes of all stages: (members, 1) and (members, coefficients, 1)."""
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(width, *shape, generator=generator, dtype=dtype).requires_grad_() for shape in ((1,), (3, 1), (1,))
    ]


def set_gradients(weights: list[torch.Tensor], step: int) -> None:
    """Sizes of many magnitudes, and zeros among them."""
    generator = torch.Generator().manual_seed(step)
    for weight in weights:
        drawn = torch.randn(weight.shape, generator=generator, dtype=torch.float64) * 10.0 ** (step % 7 - 3)
        weight.grad = torch.where(drawn.abs() < 1e-4, 0.0, drawn).to(weight.dtype)


def assert_equal_bits(left: torch.Tensor, right: torch.Tensor) -> None:
    assert left.detach().numpy().tobytes() == right.detach().numpy().tobytes()


def rows_of(weights: list[torch.Tensor], index: int) -> list[torch.Tensor]:
    return [weight.detach()[index : index + 1].clone().requires_grad_() for weight in weights]


@every_variant
@every_dtype
@pytest.mark.parametrize("width", [1, 7, 64])
def test_the_written_out_update_is_torchs(variant: str, width: int, dtype: torch.dtype) -> None:
    job = member("module", optimizer=VARIANTS[variant], learning_rate=0.013)
    ours, theirs = parameters(width, dtype), parameters(width, dtype)
    written_out, by_torch = WrittenOutOptimizer(ours, [job] * width), TorchOptimizer(theirs, job)
    for step in range(20):
        set_gradients(ours, step)
        set_gradients(theirs, step)
        written_out.step()
        by_torch.step()
        for left, right in zip(ours, theirs, strict=True):
            assert_equal_bits(left, right)
    left_slots, right_slots = written_out.slots(), by_torch.slots()
    assert list(left_slots) == list(right_slots)
    for name in left_slots:
        assert_equal_bits(left_slots[name], right_slots[name])


@every_variant
@every_dtype
def test_members_with_numbers_of_their_own_are_each_updated_as_by_torch(variant: str, dtype: torch.dtype) -> None:
    members = differing([member("module", optimizer=VARIANTS[variant], learning_rate=0.013)] * 9)
    members[3]["optimizer"]["weight_decay"] = 0.0
    if "nesterov" in members[4]["optimizer"]:
        members[4]["optimizer"]["nesterov"] = False
    together = parameters(9, dtype)
    optimizer = optimizer_of(together, members)
    assert isinstance(optimizer, WrittenOutOptimizer)
    alone = [rows_of(together, index) for index in range(9)]
    by_torch = [optimizer_of(rows, [each]) for rows, each in zip(alone, members, strict=True)]
    for step in range(14):
        set_gradients(together, step)
        optimizer.step()
        for index, (rows, torchs) in enumerate(zip(alone, by_torch, strict=True)):
            for row, weight in zip(rows, together, strict=True):
                assert weight.grad is not None
                row.grad = weight.grad[index : index + 1].clone()
            torchs.step()
            for row, weight in zip(rows, together, strict=True):
                assert_equal_bits(row[0], weight[index])


def test_members_that_agree_are_updated_by_torch_itself() -> None:
    agreeing: list[Member] = [member("optim", seed=seed) for seed in range(3)]
    assert isinstance(optimizer_of(parameters(3, torch.float32), agreeing), TorchOptimizer)


@every_variant
def test_rows_that_are_not_named_keep_weights_and_slots(variant: str) -> None:
    job = member("dynamic", optimizer=VARIANTS[variant], learning_rate=0.013)
    weights, reference = parameters(4, torch.float32), parameters(4, torch.float32)
    some, every = WrittenOutOptimizer(weights, [job] * 4), WrittenOutOptimizer(reference, [job] * 4)
    for step in range(6):
        set_gradients(weights, step)
        some.step(Participants(np.array([1, 3]), torch.tensor([[False], [True], [False], [True]])))
        set_gradients(reference, step)
        every.step()
    for weight, moved, start in zip(weights, reference, parameters(4, torch.float32), strict=True):
        assert_equal_bits(weight[[0, 2]], start[[0, 2]])
        assert_equal_bits(weight[[1, 3]], moved[[1, 3]])
    for name, slot in some.slots().items():
        assert not slot[[0, 2]].any()
        assert_equal_bits(slot[[1, 3]], every.slots()[name][[1, 3]])
