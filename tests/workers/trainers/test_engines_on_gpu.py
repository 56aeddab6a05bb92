"""The engines beside eager on a GPU: CUDA graphs and the fused kernel. Skipped where there is none."""

from collections.abc import Callable
from typing import Any

import pytest

from gradyard.testing import packs
from tests.workers.trainers.on_gpu import (
    CAUTIOUS,
    ENGINE_POINTS,
    all_stages,
    both_dtypes,
    both_engines,
    engine_case,
    needs_gpu,
    refusing_to_wait,
)
from tests.workers.trainers.packs import differing, pack
from tests.workers.trainers.width_record import WidthRecord
from workers.trainers.contract import RunsSteps
from workers.trainers.fused import trainer as fused_trainer

pytestmark = [pytest.mark.gpu, *needs_gpu]


@all_stages
@both_engines
@both_dtypes
@pytest.mark.parametrize("points", ENGINE_POINTS)
def test_a_member_of_another_engine_has_the_same_bits_at_every_width(
    widths: WidthRecord, stage: str, make: Callable[..., RunsSteps], dtype: str, points: int
) -> None:
    with widths.case(engine_case(stage, make, dtype, points)):
        members = differing(pack(stage, 512, points=points, dtype=dtype, **CAUTIOUS))
        losses = make(members).run(0, 20).T
        for width in (1, 2, 33):
            assert make(members[:width]).run(0, 20).T.tobytes() == losses[:width].tobytes()


@all_stages
@both_engines
def test_a_member_has_the_same_bits_beside_members_with_other_data(stage: str, make: Callable[..., RunsSteps]) -> None:
    first, *others = differing(pack(stage, 3, noise=0.1))
    assert make([first]).run(0, 20).T[0].tobytes() == make([first, *others]).run(0, 20).T[0].tobytes()


@all_stages
@both_engines
def test_another_engine_that_was_stopped_goes_on_bit_for_bit(stage: str, make: Callable[..., Any]) -> None:
    members = differing(pack(stage, 33))
    whole, begun, after = make(members), make(members), make(members[4:6])
    losses = whole.run(0, 60).T
    begun.run(0, 27)
    after.load_state(packs.rows(begun.state(), [4, 5]))
    assert after.run(27, 60).T.tobytes() == losses[4:6, 27:].tobytes()


@all_stages
def test_queueing_a_segment_of_the_fused_engine_does_not_wait_for_it(stage: str) -> None:
    trainer = fused_trainer.Trainer(pack(stage, 5), "cuda")
    trainer.queue(0, 5)()
    with refusing_to_wait():
        losses = [trainer.queue(begin, begin + 5) for begin in (5, 10)]
    assert [each().shape for each in losses] == [(5, 5)] * 2
