"""What a GPU is given: sums whose shape no pack's width can change. Shown here on a CPU, by what is asked of torch."""

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from tests.workers.trainers.packs import (
    OPTIMIZERS,
    STAGES,
    WITH_OPTIMIZER,
    Member,
    assert_alone_equals_packed,
    assert_resumes_in_other_company,
    differing,
    pack,
    train,
    trainer_of,
)
from workers.trainers.models import order_plan
from workers.trainers.optimizers import update_rules
from workers.trainers.tensors import row_sums
from workers.trainers.tensors.fixed_sums import CHUNK, SHORT, AlongPoints, RowSum, fixed_sum
from workers.trainers.tensors.transfer import upload

ON_TORCH = [stage for stage in STAGES if stage != "numpy"]
REDUCTIONS = ("sum", "mean", "prod", "norm", "mm", "dot", "amax", "cumsum", "index_add", "index_put", "scatter")


@pytest.fixture
def _as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sums, "_is_cuda", lambda values: isinstance(values, torch.Tensor))


class Reductions(TorchDispatchMode):
    """Notes the shapes that are reduced while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[int, ...], Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if any(name == part or name.startswith(f"{part}_") for part in REDUCTIONS):
            self.found.append((name, tuple(args[0].shape), args[1:]))
        return func(*args, **(kwargs or {}))


# What makes the host wait for a GPU: a value is read, a shape depends on values, or something is copied to or fro.
WAITS = {"_local_scalar_dense", "item", "is_nonzero", "nonzero", "masked_select", "equal", "_unique2", "unique_dim",
         "bincount", "repeat_interleave", "_to_copy", "lift_fresh", "_pin_memory"}  # fmt: skip


class Waits(TorchDispatchMode):
    """Notes what a host would wait for while it is active, were the tensors on a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        by_mask = name.startswith("index") and any(
            each is not None and each.dtype == torch.bool for each in (args[1] if isinstance(args[1], list) else ())
        )
        if name in WAITS or by_mask:
            self.found.append(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def _uploads_are_copied_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not record what `upload` does here: on a GPU it copies from page-locked memory, and does not wait."""

    def unnoticed(*args: Any) -> torch.Tensor:
        with _disable_current_modes():
            return upload(*args)

    for module in (order_plan, update_rules):
        monkeypatch.setattr(module, "upload", unnoticed)


@pytest.mark.usefixtures("_as_on_a_gpu", "_uploads_are_copied_by_themselves")
@pytest.mark.parametrize("stage", ON_TORCH)
@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
@pytest.mark.parametrize("loss", [{"name": "mse"}, {"name": "huber", "delta": 0.4}], ids=["mse", "huber"])
def test_no_step_does_what_a_host_would_wait_for(
    stage: str, change: Callable[..., list[Member]], loss: dict[str, Any]
) -> None:
    for optimizer in OPTIMIZERS if stage == "optim" else ("none",):
        more = {"optimizer": OPTIMIZERS[optimizer]} if stage == "optim" else {}
        trainer = trainer_of(change(pack(stage, 5, points=101, loss=loss | {"reduction": "sum"}, **more)))
        trainer.step(0)
        with Waits() as waits:
            for t in range(1, 12):
                trainer.step(t)
        assert waits.found == [], optimizer


@pytest.mark.parametrize(
    "waits_for",
    [
        lambda values: values.sum().item(), lambda values: bool(values.sum() > 0), lambda values: values[values > 0],
        lambda values: values.nonzero(), lambda values: values.double(), lambda values: torch.tensor(0.5) * values,
        lambda values: torch.equal(values, values), lambda values: float(values.max()),
    ],
)  # fmt: skip
def test_that_test_would_find_one(waits_for: Callable[[torch.Tensor], object]) -> None:
    values = torch.randn(5)
    with Waits() as waits:
        waits_for(values)
    assert waits.found


@pytest.mark.parametrize("points", [1, 2, 3, 31, 32, 33, 127, 128, 129, 2000, 2001, 4096, 40_000, 300_000])
def test_it_is_the_sum(points: int) -> None:
    values = torch.from_numpy(np.random.default_rng(points).normal(size=(3, points)))
    for row, total in zip(values, fixed_sum(values), strict=True):
        assert total.item() == pytest.approx(math.fsum(row.tolist()), rel=1e-12, abs=1e-12 * points)


@pytest.mark.parametrize("points", [3, 77, 2001])
def test_its_gradients_are_those_of_a_sum(points: int) -> None:
    values = torch.randn(2, points, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 1, dtype=torch.float64, requires_grad=True)
    fast = points > 1000  # then in one direction, not in each
    assert torch.autograd.gradcheck(RowSum.apply, (values,), fast_mode=fast)
    assert torch.autograd.gradcheck(lambda each: AlongPoints.apply(each, points), (weights,))
    torch.func.grad(lambda each: RowSum.apply(AlongPoints.apply(each, points) * values).sum())(weights)


@pytest.mark.usefixtures("_as_on_a_gpu")
@pytest.mark.parametrize("stage", ON_TORCH)
@pytest.mark.parametrize("loss", ["mse", "l1", "huber"])
@pytest.mark.parametrize("width", [1, 5])
def test_no_step_sums_anything_but_chunks_and_short_rows(stage: str, loss: str, width: int) -> None:
    threshold = {"delta": 0.4} if loss == "huber" else {}
    trainer = trainer_of(
        differing(pack(stage, width, points=501, loss={"name": loss, "reduction": "mean"} | threshold))
    )
    with Reductions() as reductions:
        for t in range(8):  # of dynamic, steps of every order
            trainer.step(t)
    assert reductions.found
    for name, shape, rest in reductions.found:
        assert name == "sum", (name, shape)
        assert list(rest[0]) == [-1] or list(rest[0]) == [len(shape) - 1], (shape, rest)
        assert shape[-1] == CHUNK or shape[-1] <= SHORT, shape


@pytest.mark.usefixtures("_as_on_a_gpu")
@pytest.mark.parametrize("stage", ON_TORCH)
@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
def test_a_pack_keeps_its_promises_in_that_form(stage: str, change: Callable[..., list[Member]]) -> None:
    members = change(pack(stage, 9, points=203, init="normal", learning_rate=1e-9))
    assert_alone_equals_packed(members, [0, 8], 10)
    assert_resumes_in_other_company(members, 4, 10)


@pytest.mark.usefixtures("_as_on_a_gpu")
@pytest.mark.parametrize(
    ("stage", "degree"),
    [*(("autograd", degree) for degree in range(10)), *product(("tensor", "nn", "optim", "module"), (0, 1, 9))],
)
def test_a_pack_of_every_degree_keeps_them_too(stage: str, degree: int) -> None:
    members = differing(pack(stage, 5, points=203, degree=degree, learning_rate=1e-14))
    assert_alone_equals_packed(members, [0, 4], 5)


@pytest.mark.parametrize("stage", ON_TORCH)
def test_its_losses_are_those_of_the_other_form_but_for_rounding(stage: str, request: pytest.FixtureRequest) -> None:
    members = differing(pack(stage, 4, points=501, dtype="float64"))
    plainly = train(trainer_of(members), 30)
    request.getfixturevalue("_as_on_a_gpu")
    np.testing.assert_allclose(train(trainer_of(members), 30), plainly, rtol=1e-10)


@pytest.mark.parametrize("stage", WITH_OPTIMIZER)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_written_out_updates_are_torchs_own(stage: str, optimizer: str, request: pytest.FixtureRequest) -> None:
    members = pack(stage, 3, points=101, dtype="float64", optimizer=OPTIMIZERS[optimizer])
    plainly = train(trainer_of(members), 30)
    request.getfixturevalue("_as_on_a_gpu")
    np.testing.assert_allclose(train(trainer_of(members), 30), plainly, rtol=1e-9)


@pytest.fixture
def mask_uploads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    made: list[int] = []

    def counted(*args: Any) -> torch.Tensor:
        made.append(1)
        return upload(*args)

    monkeypatch.setattr(order_plan, "upload", counted)
    return made


@pytest.mark.usefixtures("_as_on_a_gpu")
def test_dynamic_sends_who_takes_part_to_the_device_once_a_thousand_steps(mask_uploads: list[int]) -> None:
    train(trainer_of(pack("dynamic", 3, points=11)), 1024)
    assert len(mask_uploads) == 2  # one for each power
