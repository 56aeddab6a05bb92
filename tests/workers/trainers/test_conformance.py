"""What every trainer promises: one file for all stages, so that a new stage adds no test code."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from gradyard.testing import StageConformance
from tests.workers.trainers.packs import (
    OPTIMIZERS,
    STAGES,
    WITH_OPTIMIZER,
    Member,
    assert_alone_equals_packed,
    assert_resumes_bitwise,
    assert_resumes_in_other_company,
    differing,
    member,
    pack,
    train,
    trainer_of,
)

all_stages = pytest.mark.parametrize("stage", STAGES)

# Small enough that no member diverges at any number of points, whichever stage it is.
CAUTIOUS = {"learning_rate": 1e-10}


# Few, since the tests below have many.
POINTS = {"dataset": {"kind": "function", "points": 203}}


class OfStage(StageConformance):
    """What a plug-in must pass, the built-in stages pass, too."""

    own_numbers = {"learning_rate": 1e-7}
    spec = {"init": "normal", "learning_rate": 1e-7, **POINTS}


class TestNumpy(OfStage):
    stage = "numpy"


class TestTensor(OfStage):
    stage = "tensor"


class TestAutograd(OfStage):
    stage = "autograd"


class TestFunction(OfStage):
    stage = "function"
    spec = {"learning_rate": 5e-6, **POINTS}


class TestNn(OfStage):
    stage = "nn"


class TestOptim(OfStage):
    stage = "optim"
    spec = {"learning_rate": 1e-3, **POINTS}
    own_numbers = {"learning_rate": 1e-3}


class TestModule(OfStage):
    stage = "module"


class TestDynamic(OfStage):
    stage = "dynamic"
    spec = {"init": "normal", "learning_rate": 1e-9, **POINTS}
    own_numbers = {"learning_rate": 1e-9}


LOSSES = [
    {"name": "l1", "reduction": "sum"},
    {"name": "mse", "reduction": "mean"},
    {"name": "smooth_l1", "reduction": "mean", "beta": 0.7},
    {"name": "huber", "reduction": "sum", "delta": 0.4},
]


@all_stages
@pytest.mark.parametrize(
    ("points", "steps", "change"),
    [
        (1, 20, differing),
        (3, 20, list),
        (2000, 20, list),
        (2000, 20, differing),
        (2001, 20, differing),
        (40_000, 3, list),
    ],
)
def test_alone_equals_packed(stage: str, points: int, steps: int, change: Callable[..., list[Member]]) -> None:
    members = change(pack(stage, 64, points=points, init="normal", **CAUTIOUS))
    assert_alone_equals_packed(members, [0, 63], steps)
    assert_alone_equals_packed(members[:7], [0, 6], steps)
    assert_alone_equals_packed(members[:2], [0, 1], steps)


@all_stages
@pytest.mark.parametrize(
    ("width", "points", "change"), [(512, 3, differing), (512, 2000, list), (512, 2001, differing), (7, 300_000, list)]
)
def test_alone_equals_packed_at_the_ends_of_what_there_is(
    stage: str, width: int, points: int, change: Callable[..., list[Member]]
) -> None:
    members = change(pack(stage, width, points=points, init="normal", **CAUTIOUS))
    assert_alone_equals_packed(members, [0, width - 1], 3)
    assert_resumes_in_other_company(members, 2, 4)


@all_stages
@pytest.mark.parametrize(
    ("loss", "change"),
    [*zip(LOSSES, [list, differing, list, differing], strict=True), (LOSSES[2], differing)],
    ids=lambda each: f"{each['name']} {each['reduction']}" if isinstance(each, dict) else None,
)
def test_alone_equals_packed_with_every_loss(
    stage: str, loss: dict[str, Any], change: Callable[..., list[Member]]
) -> None:
    assert_alone_equals_packed(change(pack(stage, 17, points=2001, loss=loss)), [0, 16], 8)
    assert_alone_equals_packed(change(pack(stage, 17, points=203, loss=loss, noise=0.1)), [0, 1, 16], 8)


@pytest.mark.parametrize("stage", WITH_OPTIMIZER)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
def test_alone_equals_packed_with_every_optimizer(
    stage: str, optimizer: str, change: Callable[..., list[Member]]
) -> None:
    members = change(pack(stage, 37, points=101, optimizer=OPTIMIZERS[optimizer]))
    assert_alone_equals_packed(members, [0, 1, 36], 12)


@pytest.mark.parametrize(
    ("stage", "degree"),
    [*product(("numpy", "autograd"), range(10)), *product(("tensor", "nn", "optim", "module"), (0, 1, 9))],
)
def test_alone_equals_packed_at_every_degree(stage: str, degree: int) -> None:
    members = differing(pack(stage, 9, points=203, degree=degree, learning_rate=1e-14))
    assert_alone_equals_packed(members, [0, 8], 10)


@all_stages
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_alone_equals_packed_when_every_member_has_data_of_its_own(stage: str, dtype: str) -> None:
    drawn = np.random.default_rng(0).uniform(-2.0, 2.0, size=(5, 2, 77))
    members = [
        each | {"dataset": {"kind": "inline", "x": x.tolist(), "y": y.tolist()}}
        for each, (x, y) in zip(pack(stage, 5, dtype=dtype), drawn, strict=True)
    ]
    assert_alone_equals_packed(members, [0, 4], 20)
    noisy = pack(stage, 5, dtype=dtype, noise=0.3)
    noisy[2]["dataset"]["function"] = "gauss"
    noisy[3]["dataset"]["noise"] = 0.0
    assert_alone_equals_packed(noisy, [0, 2, 3, 4], 20)


@all_stages
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("stop", [1, 13])
def test_a_resumed_job_equals_an_uninterrupted_one(stage: str, width: int, stop: int) -> None:
    assert_resumes_bitwise(differing(pack(stage, width)), stop, 30)


@pytest.mark.parametrize("stage", WITH_OPTIMIZER)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("width", "change"), [(1, list), (3, list), (3, differing)])
def test_a_resumed_job_equals_an_uninterrupted_one_with_every_optimizer(
    stage: str, optimizer: str, width: int, change: Callable[..., list[Member]]
) -> None:
    settings = OPTIMIZERS[optimizer]
    if "momentum" in settings:
        settings = settings | {"momentum": 0.8}
    assert_resumes_bitwise(change(pack(stage, width, points=101, optimizer=settings)), 7, 30)


@all_stages
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_and_weights_have_the_dtype_of_the_job(stage: str, dtype: str) -> None:
    trainer = trainer_of(pack(stage, 2, dtype=dtype))
    assert train(trainer, 2).dtype == dtype
    assert trainer.state()["a"].dtype == dtype
    assert np.asarray(trainer.step(2)).shape == (2,)


@all_stages
def test_another_seed_gives_another_curve(stage: str) -> None:
    job = member(stage, init="normal")
    assert train(trainer_of([job]), 30).tobytes() != train(trainer_of([job | {"seed": 8}]), 30).tobytes()
