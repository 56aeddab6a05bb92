"""The torch stages on a GPU: bits, resume, graphs, and that no step waits. Skipped where there is none."""

import gc
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gradyard.testing import packs
from tests.workers.trainers.on_gpu import (
    CAUTIOUS,
    ENGINES,
    SHAPES,
    all_stages,
    both_changes,
    eager,
    eager_case,
    needs_gpu,
    refusing_to_wait,
)
from tests.workers.trainers.packs import OPTIMIZERS, WITH_OPTIMIZER, Member, differing, pack, train, trainer_of
from tests.workers.trainers.width_record import WidthRecord
from workers.trainers.contract import RunsSteps, Trainer

pytestmark = [pytest.mark.gpu, *needs_gpu]


def test_a_step_that_waits_would_be_found() -> None:
    values = torch.ones(3, device="cuda")
    with refusing_to_wait(), pytest.raises(RuntimeError, match="synchronizing"):
        values.sum().item()


@all_stages
@both_changes
@pytest.mark.parametrize(("points", "width"), SHAPES)
def test_a_member_has_the_same_bits_at_every_width(
    widths: WidthRecord, stage: str, change: Callable[..., list[Member]], points: int, width: int
) -> None:
    with widths.case(eager_case(stage, change, (points, width))):
        members = change(pack(stage, width, points=points, **CAUTIOUS))
        packs.assert_alone_equals_packed(eager, members, [0, width - 1], 3)
        for fewer in (2, 33):
            packs.assert_alone_equals_packed(eager, members[:fewer], [0, fewer - 1], 3)


@all_stages
@both_changes
def test_what_was_stopped_goes_on_bit_for_bit_on_the_same_device(
    stage: str, change: Callable[..., list[Member]]
) -> None:
    members = change(pack(stage, 33))
    packs.assert_resumes_bitwise(eager, members, 13, 30)
    packs.assert_others_may_leave(eager, members, [4], 13, 30)


@all_stages
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-10)])
def test_cpu_and_gpu_agree(stage: str, dtype: str, tolerance: float) -> None:
    members = differing(pack(stage, 5, dtype=dtype))
    on_cpu = train(trainer_of(members), 30)
    np.testing.assert_allclose(train(eager(members), 30), on_cpu, rtol=tolerance)
    for make in ENGINES:
        np.testing.assert_allclose(make(members).run(0, 30).T, on_cpu, rtol=tolerance)


@pytest.mark.parametrize("stage", WITH_OPTIMIZER)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_cpu_and_gpu_agree_with_every_optimizer(stage: str, optimizer: str) -> None:
    members = differing(pack(stage, 4, points=101, dtype="float64", optimizer=OPTIMIZERS[optimizer]))
    on_cpu = train(trainer_of(members), 30)
    np.testing.assert_allclose(train(eager(members), 30), on_cpu, rtol=1e-8)
    for make in ENGINES:
        np.testing.assert_allclose(make(members).run(0, 30).T, on_cpu, rtol=1e-8)


@all_stages
@both_changes
def test_no_step_waits_for_the_device(stage: str, change: Callable[..., list[Member]]) -> None:
    trainer = eager(change(pack(stage, 5, optimizer=OPTIMIZERS["adam"]) if stage == "optim" else pack(stage, 5)))
    trainer.step(0)
    with refusing_to_wait():
        for t in range(1, 30):
            trainer.step(t)


@all_stages
@pytest.mark.parametrize("make", [eager, *ENGINES])
def test_a_trainer_that_is_dropped_gives_its_memory_back(stage: str, make: Callable[..., Trainer | RunsSteps]) -> None:
    train(make(pack(stage, 2)), 20)  # whatever torch keeps for ever
    gc.collect()
    before = torch.cuda.memory_allocated()
    train(make(pack(stage, 64)), 20)
    gc.collect()
    assert torch.cuda.memory_allocated() <= before
