"""The engine `fused` but for the GPU: its kernel, interpreted, beside the eager stages."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from _pytest.mark import ParameterSet

from gradyard.jobs.numbers.draws import orders
from gradyard.jobs.stages.registry import stage_named
from tests.workers.trainers.packs import OPTIMIZERS, STAGES, Member, differing, member, pack, rows, train, trainer_of
from workers.trainers.contract import Array
from workers.trainers.fused import trainer as fused

pytest.importorskip("triton", reason="Triton comes for Linux on x86-64 alone")
pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="where there is a GPU, the kernel is compiled for it")

ON_TORCH = [stage for stage in STAGES if stage != "numpy"]
LOSSES: dict[str, dict[str, Any]] = {
    "mse": {}, "l1": {}, "smooth_l1": {"beta": 0.5}, "huber": {"delta": 0.7},
}  # fmt: skip
RULES = [*OPTIMIZERS.values(), *(OPTIMIZERS[name] | {"momentum": 0.8} for name in ("sgd", "rmsprop"))]


def trained_rules() -> list[ParameterSet]:
    """Each stage with each optimizer, the losses in turn. The other pairs of a loss and an optimizer are long."""
    pairs = []
    for (row, stage), (column, rule) in product(enumerate(("module", "dynamic")), enumerate(RULES)):
        turn = list(LOSSES)[(column + 2 * row) % len(LOSSES)]
        pairs += [pytest.param(stage, rule, name, marks=[pytest.mark.long] * (name != turn)) for name in LOSSES]
    return pairs


def in_words(each: Any) -> str | None:
    return "-".join(str(value) for value in each.values())[:20] if isinstance(each, dict) else None


def loss(name: str, reduction: str = "sum") -> dict[str, Any]:
    return {"name": name, "reduction": reduction, **LOSSES[name]}


def trained(members: list[Member], *cuts: int) -> tuple[Array, dict[str, Array]]:
    trainer = fused.Trainer(members, "cpu")
    trainer.prepare()
    losses = [trainer.run(begin, end) for begin, end in zip((0, *cuts), cuts, strict=False)]
    return np.concatenate(losses).T, trainer.state()


def assert_like_eager(members: list[Member], steps: int = 5) -> None:
    losses, state = trained(members, 2, steps)
    eager = trainer_of(members)
    np.testing.assert_allclose(losses, train(eager, steps), rtol=1e-9)
    assert state.keys() == eager.state().keys()
    for name, values in eager.state().items():
        np.testing.assert_allclose(state[name], values, rtol=1e-7, atol=1e-7 * max(1.0, float(np.abs(values).max())))


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "rule", "name"), trained_rules(), ids=in_words)
def test_every_loss_with_every_optimizer_trains_as_the_eager_stage(stage: str, rule: dict[str, Any], name: str) -> None:
    members = pack(stage, 2, points=45, dtype="float64", optimizer=rule, loss=loss(name))
    # On a symmetric grid the slopes of l1 cancel, and RMSprop divides what rounding leaves of them by its own size.
    assert_like_eager([each | {"dataset": each["dataset"] | {"start": -2.9}} for each in differing(members)])


@pytest.mark.parametrize(("stage", "name"), [*product(["function"], LOSSES), *((stage, "mse") for stage in ON_TORCH)])
def test_every_stage_trains_as_its_eager_form(stage: str, name: str) -> None:
    assert_like_eager(differing(pack(stage, 2, points=45, dtype="float64", loss=loss(name, "mean"))))


@pytest.mark.parametrize("degree", [0, 1, 2, 9])
def test_a_polynomial_of_any_degree_trains_as_its_eager_form(degree: int) -> None:
    small = {"learning_rate": 1e-12} if degree > 3 else {}
    assert_like_eager(pack("autograd", 2, points=33, dtype="float64", degree=degree, **small))


@pytest.mark.parametrize("rule", [OPTIMIZERS["adam"], OPTIMIZERS["sgd"] | {"momentum": 0.5, "nesterov": True}])
def test_a_weight_decay_is_that_of_the_eager_stage(rule: dict[str, Any]) -> None:
    assert_like_eager(differing(pack("module", 2, points=33, dtype="float64", optimizer=rule | {"weight_decay": 0.1})))


def test_float32_is_computed_in_float32() -> None:
    members = differing(pack("autograd", 2, points=203))
    losses, state = trained(members, 20)
    assert {str(losses.dtype), str(state["a"].dtype)} == {"float32"}
    np.testing.assert_allclose(losses, train(trainer_of(members), 20), rtol=1e-5)


@pytest.mark.parametrize("stage", ["optim", "function", "dynamic"])
@pytest.mark.parametrize("largest_block", [64, 2048])
def test_neither_the_width_nor_a_cut_nor_other_data_change_a_bit(
    monkeypatch: pytest.MonkeyPatch, stage: str, largest_block: int
) -> None:
    monkeypatch.setattr(fused, "LARGEST_BLOCK", largest_block)
    members = differing([member(stage, points=150, seed=seed, noise=seed / 10) for seed in range(3)])
    whole, _ = trained(members, 5)
    for cuts in ((5,), (1, 3, 5)):
        alone, _ = trained(members[1:2], *cuts)
        assert alone[0].tobytes() == whole[1].tobytes()


def test_points_beyond_the_first_block_count() -> None:
    members = pack("module", 2, points=150, dtype="float64", optimizer=OPTIMIZERS["adam"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "LARGEST_BLOCK", 64)
        assert_like_eager(members)


@pytest.mark.parametrize("stage", ["optim", "dynamic"])
def test_what_was_stopped_goes_on_in_other_company(stage: str) -> None:
    members = differing(pack(stage, 4, points=45, optimizer=OPTIMIZERS["adam"]))
    whole, _ = trained(members, 6)
    _, begun = trained(members, 3)
    resumed = fused.Trainer(members[1:3], "cpu")
    resumed.load_state(rows(begun, [1, 2]))
    assert resumed.run(3, 6).T.tobytes() == whole[1:3, 3:].tobytes()


def test_preparing_trains_nothing() -> None:
    trainer = fused.Trainer(pack("dynamic", 2, points=45), "cpu")
    before = trainer.state()
    trainer.prepare()
    assert all((before[name] == values).all() for name, values in trainer.state().items())


def test_a_pack_needs_room_for_its_data_alone() -> None:
    autograd = stage_named("autograd")
    graph, kernel = (autograd.width("float32", 1_000_000, each, "gpu", 80_000) for each in ("cudagraph", "fused"))
    assert kernel > 10 * graph


@pytest.mark.parametrize("begin", [0, 1, 6, 4_000_000_003])
def test_the_orders_drawn_on_a_gpu_are_those_of_the_host(begin: int) -> None:
    seeds = [0, 1, 2**31, 2**53 - 1]
    members = [member("dynamic", points=33, seed=seed) for seed in seeds]
    drawn = fused.Trainer(members, "cpu")._orders(begin, 9)
    assert drawn.T.tolist() == [orders(seed, begin, 9).tolist() for seed in seeds]
