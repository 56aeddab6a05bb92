"""A large pack's arrays are kept, and that changes no bit."""

from typing import Any

import pytest

from tests.workers.trainers.packs import (
    WITH_DEGREE,
    assert_alone_equals_packed,
    assert_resumes_in_other_company,
    differing,
    pack,
    trainer_of,
)

WIDTH, STEPS = 24, 12
WITH_AUTOGRAD = ("autograd", "function", "nn", "optim", "module", "dynamic")
LOSSES = [
    {"name": "mse", "reduction": "mean"}, {"name": "l1", "reduction": "sum"},
    {"name": "huber", "reduction": "mean", "delta": 0.5},
]  # fmt: skip
SMALL = {"learning_rate": 1e-12}  # so that high degrees do not diverge


def keeps(trainer: Any) -> bool:
    return (trainer.squared_error if hasattr(trainer, "squared_error") else trainer.workspace) is not None


@pytest.mark.parametrize("stage", WITH_AUTOGRAD)
def test_only_large_packs_keep_their_arrays(stage: str) -> None:
    assert keeps(trainer_of(pack(stage, WIDTH)))
    assert not keeps(trainer_of(pack(stage, 1, points=300_000)))
    assert not keeps(trainer_of(pack(stage, WIDTH, points=100)))


@pytest.mark.parametrize("degree", range(10))
@pytest.mark.parametrize("stage", WITH_DEGREE)
def test_a_large_pack_of_any_degree_has_the_bits_of_its_members_alone(stage: str, degree: int) -> None:
    members = pack(stage, WIDTH, degree=degree, init="normal", **SMALL)
    assert_alone_equals_packed(members, [0, WIDTH - 1], STEPS)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss["name"])
@pytest.mark.parametrize("stage", WITH_AUTOGRAD)
def test_so_it_has_with_every_loss_and_with_numbers_that_differ(stage: str, loss: dict[str, Any]) -> None:
    assert_alone_equals_packed(differing(pack(stage, WIDTH, loss=loss)), [0, WIDTH // 2, WIDTH - 1], STEPS)


@pytest.mark.parametrize("stage", WITH_AUTOGRAD)
def test_a_member_of_one_goes_on_in_company_that_keeps_nothing(stage: str) -> None:
    assert_resumes_in_other_company(pack(stage, WIDTH), STEPS // 2, STEPS)


@pytest.mark.parametrize("stage", WITH_AUTOGRAD)
def test_members_with_data_of_their_own_share_no_row(stage: str) -> None:
    members = [
        each | {"dataset": each["dataset"] | {"stop": 3.0 + index / 100}}
        for index, each in enumerate(pack(stage, WIDTH))
    ]
    assert_alone_equals_packed(members, [0, WIDTH - 1], STEPS)
