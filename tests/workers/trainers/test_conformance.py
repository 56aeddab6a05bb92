"""What every trainer promises: one file for all stages, so that a new stage adds no test code."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.workers.trainers.packs import (
    OPTIMIZERS,
    STAGES,
    WITH_DEGREE,
    WITH_OPTIMIZER,
    Member,
    assert_alone_equals_packed,
    assert_resumes_bitwise,
    assert_same_bits,
    differing,
    member,
    pack,
    rows,
    train,
    trainer_of,
)

all_stages = pytest.mark.parametrize("stage", STAGES)

# Small enough that no member diverges at any number of points, whichever stage it is.
CAUTIOUS = {"learning_rate": 1e-10}

LOSSES = [
    {"name": "l1", "reduction": "sum"},
    {"name": "mse", "reduction": "mean"},
    {"name": "smooth_l1", "reduction": "mean", "beta": 0.7},
    {"name": "huber", "reduction": "sum", "delta": 0.4},
]


@all_stages
def test_it_learns(stage: str) -> None:
    losses = train(trainer_of([member(stage)]), 200)[0]
    assert losses[-20:].mean() < losses[:20].mean()


@all_stages
def test_the_same_seed_gives_the_same_curve_and_another_seed_another(stage: str) -> None:
    job = member(stage, init="normal")
    curve = train(trainer_of([job]), 30)
    assert curve.tobytes() == train(trainer_of([job]), 30).tobytes()
    assert curve.tobytes() != train(trainer_of([job | {"seed": 8}]), 30).tobytes()


@all_stages
@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
@pytest.mark.parametrize(("points", "steps"), [(1, 20), (3, 20), (2000, 20), (2001, 20), (40_000, 3)])
def test_alone_equals_packed(stage: str, points: int, steps: int, change: Callable[..., list[Member]]) -> None:
    members = change(pack(stage, 64, points=points, init="normal", **CAUTIOUS))
    assert_alone_equals_packed(members, [0, 63], steps)
    assert_alone_equals_packed(members[:7], [0, 6], steps)


@all_stages
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss['name']} {loss['reduction']}")
@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
def test_alone_equals_packed_with_every_loss(
    stage: str, loss: dict[str, Any], change: Callable[..., list[Member]]
) -> None:
    assert_alone_equals_packed(change(pack(stage, 17, points=2001, loss=loss)), [0, 16], 20)
    assert_alone_equals_packed(change(pack(stage, 17, points=203, loss=loss, noise=0.1)), [0, 1, 16], 20)


@pytest.mark.parametrize("stage", WITH_OPTIMIZER)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
def test_alone_equals_packed_with_every_optimizer(
    stage: str, optimizer: str, change: Callable[..., list[Member]]
) -> None:
    members = change(pack(stage, 37, points=101, optimizer=OPTIMIZERS[optimizer]))
    assert_alone_equals_packed(members, [0, 1, 36], 30)


@pytest.mark.parametrize("stage", WITH_DEGREE)
@pytest.mark.parametrize("degree", range(10))
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
@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
@pytest.mark.parametrize("width", [1, 3])
def test_a_resumed_job_equals_an_uninterrupted_one_with_every_optimizer(
    stage: str, optimizer: str, change: Callable[..., list[Member]], width: int
) -> None:
    settings = OPTIMIZERS[optimizer]
    if "momentum" in settings:
        settings = settings | {"momentum": 0.8}
    assert_resumes_bitwise(change(pack(stage, width, points=101, optimizer=settings)), 7, 30)


@all_stages
def test_a_state_taken_before_the_first_step_resumes_too(stage: str) -> None:
    assert_resumes_bitwise(pack(stage, 2), 0, 10)


@all_stages
def test_those_who_stay_when_others_leave_keep_their_bits(stage: str) -> None:
    members = differing(pack(stage, 5))
    whole = trainer_of(members)
    losses = train(whole, 40)
    for staying in ([1, 4], [2]):
        begun = trainer_of(members)
        train(begun, 17)
        rebuilt = trainer_of([members[index] for index in staying])
        rebuilt.load_state(rows(begun.state(), staying))
        assert train(rebuilt, 40, begin=17).tobytes() == losses[staying, 17:].tobytes()
        assert_same_bits(rebuilt.state(), rows(whole.state(), staying))


@all_stages
def test_a_state_is_a_copy(stage: str) -> None:
    trainer = trainer_of(pack(stage, 2))
    train(trainer, 3)
    state = trainer.state()
    kept = {name: array.copy() for name, array in state.items()}
    train(trainer, 6, begin=3)
    assert_same_bits(state, kept)
    for array in state.values():
        array[:] = 0
    assert all(value != 0 for value in trainer.coefficients()[0].values())


@all_stages
def test_a_loaded_state_is_a_copy_and_may_be_read_only(stage: str) -> None:
    members = pack(stage, 2)
    source = trainer_of(members)
    train(source, 3)
    state = source.state()
    for array in state.values():
        array.flags.writeable = False
    target = trainer_of(members)
    target.load_state(state)
    train(target, 6, begin=3)
    assert_same_bits(state, source.state())


@all_stages
def test_a_state_of_another_width_is_refused(stage: str) -> None:
    state = trainer_of(pack(stage, 1)).state()
    trainer = trainer_of(pack(stage, 2))
    with pytest.raises(ValueError, match="has shape"):
        trainer.load_state(state)
    with pytest.raises(KeyError):
        trainer.load_state({})


@all_stages
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_and_weights_have_the_dtype_of_the_job(stage: str, dtype: str) -> None:
    trainer = trainer_of(pack(stage, 2, dtype=dtype))
    assert train(trainer, 2).dtype == dtype
    assert trainer.state()["a"].dtype == dtype
    assert np.asarray(trainer.step(2)).shape == (2,)


@all_stages
def test_a_diverging_member_leaves_the_others_alone(stage: str) -> None:
    members = pack(stage, 3, init="normal")
    members[1]["learning_rate"] = 1e30
    losses = train(trainer_of(members), 60)
    assert not np.isfinite(losses[1]).all()
    for index in (0, 2):
        assert train(trainer_of([members[index]]), 60).tobytes() == losses[[index]].tobytes()
