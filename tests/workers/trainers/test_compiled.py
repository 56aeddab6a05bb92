"""`execution: compiled` against the stage as it is written: static graphs of torch, matrix products of numpy.

What is promised of it (docs/stages.md): relative to the eager losses over the first thirty steps, 1e-5 in float32 and
1e-12 in float64.
"""

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.workers.trainers.packs import (
    OPTIMIZERS,
    STAGES,
    Member,
    differing,
    member,
    pack,
    rows,
    train,
    trainer_of,
)
from workers.trainers.compiled import blas, static_graph

needs_a_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler is installed")
pytestmark = [
    needs_a_compiler,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # torch's compiler uses what torch deprecates
]
STEPS = 30
TOLERANCES = {"float32": 1e-5, "float64": 1e-12}


class ShortGraph(static_graph.Trainer):
    """Two steps in a graph compile faster than ten, by the same lines."""

    stride = 2


class ShortestGraph(static_graph.Trainer):
    """For what does not depend on the number of steps in a graph."""

    stride = 1


def compiled(members: list[Member], graph: type[static_graph.Trainer] = ShortGraph) -> Any:
    kind = blas.Trainer if members[0]["stage"] == "numpy" else graph
    return kind(members, "cpu")


def assert_agree(members: list[Member], kind: type[static_graph.Trainer] = ShortGraph) -> None:
    steps, eager, graph = STEPS, trainer_of(members), compiled(members, kind)
    wanted, found = train(eager, steps), np.concatenate([graph.run(0, 7), graph.run(7, steps)]).T
    assert found.dtype == wanted.dtype
    tolerance = TOLERANCES[members[0]["dtype"]]
    np.testing.assert_allclose(found, wanted, rtol=tolerance)
    assert list(graph.state()) == list(eager.state())
    assert [list(each) for each in graph.coefficients()] == [list(each) for each in eager.coefficients()]
    for name, values in eager.state().items():
        scale = max(1.0, float(np.abs(values).max()))  # by symmetry some weights are nothing but rounding
        np.testing.assert_allclose(graph.state()[name], values, rtol=50 * tolerance, atol=50 * tolerance * scale)


@pytest.mark.parametrize("stage", STAGES)
def test_it_has_the_losses_and_the_state_of_the_stage(stage: str) -> None:
    assert_agree(pack(stage, 5, points=501))
    assert_agree(differing(pack(stage, 7, points=501)))  # another width and other numbers: the same program
    assert_agree([member(stage, points=501)])


@pytest.mark.parametrize("stage", ["numpy", "module"])
@pytest.mark.parametrize("loss", ["l1", "smooth_l1", "huber"])
def test_it_knows_every_loss(stage: str, loss: str) -> None:
    threshold = {"smooth_l1": {"beta": 0.7}, "huber": {"delta": 0.4}}.get(loss, {})
    assert_agree(pack(stage, 3, points=203, loss={"name": loss, "reduction": "mean"} | threshold), ShortestGraph)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
def test_dynamic_skips_updates_with_every_optimizer(optimizer: str) -> None:
    settings = OPTIMIZERS[optimizer] | ({"momentum": 0.8} if "momentum" in OPTIMIZERS[optimizer] else {})
    assert_agree(differing(pack("dynamic", 4, points=203, dtype="float64", optimizer=settings)), ShortestGraph)


@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
@pytest.mark.parametrize("stage", ["numpy", "autograd"])
def test_every_member_may_have_data_of_its_own(stage: str, change: Callable[..., list[Member]]) -> None:
    drawn = np.random.default_rng(0).uniform(-2.0, 2.0, size=(5, 2, 77))
    assert_agree(change([
        each | {"dataset": {"kind": "inline", "x": x.tolist(), "y": y.tolist()}}
        for each, (x, y) in zip(pack(stage, 5), drawn, strict=True)
    ]))  # fmt: skip


@pytest.mark.parametrize("stage", ["numpy", "dynamic"])
def test_what_was_stopped_goes_on_in_other_company(stage: str) -> None:
    members = differing(pack(stage, 5, points=203, dtype="float64"))
    whole = compiled(members)
    losses = whole.run(0, 60).T
    begun = compiled(members)
    begun.run(0, 33)
    resumed = compiled(members[1:3])
    resumed.load_state(rows(begun.state(), [1, 2]))
    np.testing.assert_allclose(resumed.run(33, 60).T, losses[1:3, 33:], rtol=1e-11)
    assert resumed.state()["a"].shape == (2,)


def test_one_program_serves_every_width() -> None:
    compiled(differing(pack("module", 5, points=203))).run(0, 2)
    before = programs()
    for width in (1, 2, 7, 130):
        compiled(differing(pack("module", width, points=203))).run(0, 2)
        compiled(pack("module", width, points=501, init="normal")).run(0, 2)
    assert programs() == before


def programs() -> int:
    from torch._dynamo.utils import counters

    return int(counters["stats"]["unique_graphs"])


def test_preparing_trains_nothing() -> None:
    trainer = ShortGraph(pack("module", 3, points=203), "cpu")
    before: dict[str, Any] = trainer.state()
    trainer.prepare()
    assert all((before[name] == values).all() for name, values in trainer.state().items())
