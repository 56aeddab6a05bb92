"""The four losses and their gradients against torch's own, and the reductions of a pack against a lone job's."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.workers.trainers.packs import differing, member, pack, train, trainer_of
from workers.trainers.losses.member_loss import MemberLoss
from workers.trainers.losses.written_out import WrittenOutLoss, thresholds

NAMES = ("mse", "l1", "smooth_l1", "huber")
every_loss = pytest.mark.parametrize("name", NAMES)
every_reduction = pytest.mark.parametrize("reduction", ["sum", "mean"])


def loss_of(name: str, reduction: str, threshold: float = 0.6) -> dict[str, Any]:
    turns_at = {"smooth_l1": {"beta": threshold}, "huber": {"delta": threshold}}
    return {"name": name, "reduction": reduction} | turns_at.get(name, {})


def torch_loss(loss: dict[str, Any]) -> torch.nn.Module:
    classes = {
        "mse": torch.nn.MSELoss,
        "l1": torch.nn.L1Loss,
        "smooth_l1": torch.nn.SmoothL1Loss,
        "huber": torch.nn.HuberLoss,
    }
    made: torch.nn.Module = classes[loss["name"]](**{key: value for key, value in loss.items() if key != "name"})
    return made


def as_column(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).float().unsqueeze(1)


def value_and_gradient(loss_fn: Any, y_pred: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    y_pred = y_pred.clone().requires_grad_()
    loss = loss_fn(y_pred, y)
    loss.sum().backward()
    assert y_pred.grad is not None
    return loss.detach(), y_pred.grad


def predictions(width: int, points: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    y_pred = torch.randn(width, points, generator=generator, dtype=dtype)
    y = torch.randn(width, points, generator=generator, dtype=dtype)
    y_pred[:, 0] = y[:, 0]  # an error of exactly 0
    y_pred[:, 1] = y[:, 1] + 0.6  # and one at the turn, or next to it
    return y_pred, y


@every_loss
@every_reduction
@pytest.mark.parametrize("points", [2, 2000, 2001])
@pytest.mark.parametrize("change", [list, differing], ids=["same turn", "own turns"])
def test_a_packs_loss_is_torchs_own_for_every_member(name: str, reduction: str, points: int, change: Any) -> None:
    members = change([member("nn", loss=loss_of(name, reduction)) for _ in range(33)])
    y_pred, y = predictions(33, points)
    losses, gradients = value_and_gradient(MemberLoss(members, as_column), y_pred, y)
    for index, each in enumerate(members):
        loss, gradient = value_and_gradient(torch_loss(each["loss"]), y_pred[index], y[index])
        assert torch.equal(loss, losses[index])
        if name in ("mse", "l1"):
            assert torch.equal(gradient, gradients[index])
        else:
            torch.testing.assert_close(gradient, gradients[index], rtol=3e-7, atol=0.0)


@every_loss
@every_reduction
def test_a_members_gradient_does_not_depend_on_its_place_in_the_pack(name: str, reduction: str) -> None:
    members = differing([member("nn", loss=loss_of(name, reduction)) for _ in range(33)])
    y_pred, y = predictions(33, 203)
    losses, gradients = value_and_gradient(MemberLoss(members, as_column), y_pred, y)
    for index, each in enumerate(members):
        row = slice(index, index + 1)
        loss, gradient = value_and_gradient(MemberLoss([each], as_column), y_pred[row], y[row])
        assert torch.equal(loss, losses[row])
        assert torch.equal(gradient, gradients[row])


# torch allows no huber delta of 0.
@pytest.mark.parametrize(("name", "threshold"), [*((name, 0.6) for name in NAMES), ("smooth_l1", 0.0)])
@every_reduction
def test_the_gradient_by_hand_is_autograds(name: str, reduction: str, threshold: float) -> None:
    members = [member("tensor", loss=loss_of(name, reduction, threshold))] * 3
    y_pred, y = predictions(3, 500, torch.float64)
    lone = torch_loss(members[0]["loss"])

    def one_by_one(y_pred: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.stack([lone(*rows) for rows in zip(y_pred, y, strict=True)])

    losses, gradients = value_and_gradient(one_by_one, y_pred, y)
    error = y_pred - y
    by_torch = WrittenOutLoss(torch, members, 500, torch.from_numpy(thresholds(members)).unsqueeze(1))
    by_numpy = WrittenOutLoss(np, members, 500, thresholds(members)[:, np.newaxis])
    for by_hand, given in ((by_torch, error), (by_numpy, error.numpy())):
        np.testing.assert_allclose(by_hand(given), losses, rtol=1e-14)
        np.testing.assert_allclose(by_hand.slope(given), gradients, rtol=1e-14, atol=1e-300)


@every_loss
@every_reduction
def test_the_stages_agree_on_every_loss(name: str, reduction: str) -> None:
    rate = 1e-6 if reduction == "sum" else 2e-3
    changes: dict[str, Any] = {"loss": loss_of(name, reduction), "learning_rate": rate, "init": "normal"}
    first, *others = (
        train(trainer_of(pack(stage, 1, dtype="float64", **changes)), 50)
        for stage in ("numpy", "tensor", "autograd", "nn", "module")
    )
    for curve in others:
        assert curve == pytest.approx(first, rel=1e-9)
