"""`execution: gram` against the loop that it stands for, in float64: every loss and every coefficient."""

from typing import Any

import numpy as np
import pytest

from tests.workers.trainers.packs import OPTIMIZERS, Member, differing, member, pack, rows, train, trainer_of
from workers.trainers.compiled.gram import Trainer

STAGES = ("numpy", "tensor", "autograd", "nn", "optim", "module")
PLAIN = {"optimizer": OPTIMIZERS["sgd"], "learning_rate": 1e-6}
# At each degree a rate below the limit of sin on [-pi, pi].
RATES = {0: 1e-4, 1: 1e-5, 2: 1e-6, 3: 1e-6, 4: 1e-8, 5: 1e-9, 6: 1e-10, 7: 1e-11, 8: 1e-12, 9: 1e-13}


def plain(stage: str, width: int, **changes: Any) -> list[Member]:
    more = PLAIN if stage in ("optim", "module") else {}
    return pack(stage, width, **{"dtype": "float64", **more, **changes})


def curve(trainer: Trainer, steps: int, begin: int = 0) -> np.ndarray:
    return train(trainer, steps, begin)


def assert_agree(members: list[Member], steps: int, tolerance: float = 1e-11) -> None:
    loop, gram = trainer_of(members), Trainer(members, "cpu")
    np.testing.assert_allclose(curve(gram, steps), train(loop, steps), rtol=tolerance)
    for found, wanted in zip(gram.coefficients(), loop.coefficients(), strict=True):
        np.testing.assert_allclose(list(found.values()), list(wanted.values()), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
def test_it_has_the_losses_of_the_loop(stage: str, change: Any) -> None:
    assert_agree(change(plain(stage, 5, points=501, init="normal")), 300)
    assert_agree(change(plain(stage, 5, points=203, noise=0.2, loss={"name": "mse", "reduction": "mean"})), 100)


@pytest.mark.parametrize("degree", RATES)
def test_it_has_them_at_every_degree(degree: int) -> None:
    assert_agree(plain("numpy", 3, points=501, degree=degree, learning_rate=RATES[degree], init="normal"), 200)


@pytest.mark.parametrize("points", [1, 2, 3])
def test_it_has_them_with_fewer_points_than_coefficients(points: int) -> None:
    data = {"kind": "inline", "x": [0.5, -1.0, 2.0][:points], "y": [1.0, 2.0, -1.0][:points]}
    assert_agree([member("numpy", dataset=data, learning_rate=1e-3)], 200)


def test_it_has_them_when_every_member_has_data_of_its_own() -> None:
    drawn = np.random.default_rng(0).uniform(-2.0, 2.0, size=(4, 2, 77))
    members = [
        each | {"dataset": {"kind": "inline", "x": x.tolist(), "y": y.tolist()}, "learning_rate": 1e-5}
        for each, (x, y) in zip(plain("autograd", 4), drawn, strict=True)
    ]
    assert_agree(members, 200)


def test_a_fit_without_residual_is_resolved_to_its_last_digits() -> None:
    x = np.linspace(-1.0, 1.0, 101)
    data = {"kind": "inline", "x": x.tolist(), "y": (1 - 2 * x + 3 * x**3).tolist()}
    members = [member("numpy", dataset=data, learning_rate=5e-3)]
    losses = curve(Trainer(members, "cpu"), 20_000)[0]
    assert losses[-1] < 1e-20 * losses[0]
    np.testing.assert_allclose(losses[:2000], train(trainer_of(members), 2000)[0], rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize(
    ("function", "start", "stop", "rate", "steps"),
    [("exp", 10.0, 14.0, 1e-9, 20_000), ("exp", 5.0, 8.0, 2.1e-8, 20_000), ("sin", 0.0, 10.0, 1e-8, 20_000)],
)
def test_directions_that_hardly_move_are_not_rounded_away(
    function: str, start: float, stop: float, rate: float, steps: int
) -> None:
    data = {"kind": "function", "function": function, "start": start, "stop": stop, "points": 50, "noise": 0.0}
    assert_agree([member("numpy", dataset=data, learning_rate=rate, init="normal")], steps)


def test_the_tutorials_own_losses_in_float32() -> None:
    members = [member("autograd", init="normal")]
    np.testing.assert_allclose(curve(Trainer(members, "cpu"), 2000), train(trainer_of(members), 2000), rtol=2e-5)


def test_where_it_is_cut_and_in_which_company_changes_nothing_beyond_rounding() -> None:
    members = differing(plain("numpy", 7, points=203))
    whole = curve(Trainer(members, "cpu"), 1000)
    begun = Trainer(members, "cpu")
    curve(begun, 333)
    resumed = Trainer(members[2:4], "cpu")
    resumed.load_state(rows(begun.state(), [2, 3]))
    np.testing.assert_allclose(curve(resumed, 1000, begin=333), whole[2:4, 333:], rtol=1e-11)


def test_a_diverging_member_leaves_the_others_alone() -> None:
    members = plain("numpy", 3, init="normal")
    members[1]["learning_rate"] = 1.0
    losses = curve(Trainer(members, "cpu"), 2000)
    assert [bool(np.isfinite(row).all()) for row in losses] == [True, False, True]
    assert np.isfinite(losses[1][:5]).all()
