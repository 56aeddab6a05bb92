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
    pytest.mark.together,  # what one has compiled, others use
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


# A program takes seconds to compile, so a few programs have all the settings among them.
LOSSES: dict[str, dict[str, Any]] = {
    "l1": {}, "smooth_l1": {"beta": 0.7}, "huber": {"delta": 0.4},
}  # fmt: skip
IN_LONG_GRAPHS = ("tensor", "autograd", "nn", "module", "dynamic")


def loss(name: str) -> dict[str, Any]:
    return {"name": name, "reduction": "mean", **LOSSES[name]}


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        *((stage, {}) for stage in ("numpy", "tensor", "autograd", "nn", "module")),
        ("function", {"loss": loss("l1")}),
        ("optim", {"loss": loss("smooth_l1")}),
        ("dynamic", {"dtype": "float64"}),
    ],
)
def test_it_has_the_losses_and_the_state_of_the_stage(stage: str, changes: dict[str, Any]) -> None:
    kind = ShortGraph if stage in IN_LONG_GRAPHS else ShortestGraph
    assert_agree(pack(stage, 5, points=501, **changes), kind)
    # another width and other numbers: the same program
    assert_agree(differing(pack(stage, 7, points=501, **changes)), kind)
    assert_agree([member(stage, points=501, **changes)], kind)


def test_every_stage_is_compared() -> None:
    assert {"numpy", *IN_LONG_GRAPHS, "function", "optim"} == set(STAGES)


@pytest.mark.parametrize("name", LOSSES)
def test_matrix_products_know_every_loss(name: str) -> None:
    assert_agree(pack("numpy", 3, points=203, loss=loss(name)))


@pytest.mark.parametrize(
    ("optimizer", "dtype"),
    [("sgd", "float64"), ("adam", "float32"), pytest.param("rmsprop", "float64", marks=pytest.mark.long)],
)
def test_dynamic_skips_updates_with_every_optimizer(optimizer: str, dtype: str) -> None:
    settings = OPTIMIZERS[optimizer] | ({"momentum": 0.8} if "momentum" in OPTIMIZERS[optimizer] else {})
    kind = ShortGraph if optimizer == "sgd" else ShortestGraph
    assert_agree(differing(pack("dynamic", 4, points=203, dtype=dtype, optimizer=settings)), kind)


@pytest.mark.parametrize("change", [list, differing], ids=["same numbers", "own numbers"])
@pytest.mark.parametrize(("stage", "changes"), [("numpy", {}), ("module", {"loss": loss("huber")})])
def test_every_member_may_have_data_of_its_own(
    stage: str, changes: dict[str, Any], change: Callable[..., list[Member]]
) -> None:
    drawn = np.random.default_rng(0).uniform(-2.0, 2.0, size=(5, 2, 77))
    members = change([
        each | {"dataset": {"kind": "inline", "x": x.tolist(), "y": y.tolist()}}
        for each, (x, y) in zip(pack(stage, 5, **changes), drawn, strict=True)
    ])  # fmt: skip
    assert_agree(members, ShortestGraph)


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
