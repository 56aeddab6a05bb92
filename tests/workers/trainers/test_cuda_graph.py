"""`execution: compiled` of a GPU but for the GPU: a stand-in does the captured work again, and touches nothing else."""

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.workers.trainers.packs import OPTIMIZERS, STAGES, Member, differing, member, pack, rows, train, trainer_of
from workers.trainers.compiled import cuda_graph
from workers.trainers.compiled.graph_trainer import GraphTrainer
from workers.trainers.compiled.graphs import Inputs, Steps, steps_of
from workers.trainers.contract import Array

ON_TORCH = [stage for stage in STAGES if stage != "numpy"]


class DoneAgain:
    """As CUDA does with a capture: warm-ups in truth, then the same work with whatever its tensors hold by then."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        for _ in range(cuda_graph.WARM_UPS):
            work()

    def replay(self) -> None:
        self._work()


class Replayed(cuda_graph.Trainer):
    make_capture = DoneAgain


class StepByStep(GraphTrainer):
    """The same steps without a graph, each time with tensors of their own."""

    def advance(self, inputs: Inputs) -> Steps:
        steps = steps_of(self.family.model, self.stride)
        return steps(self.criterion, self.rule, self.weights, self.slots, self.basis, self.y, inputs)


def trained(kind: type[GraphTrainer], members: list[Member], *cuts: int) -> tuple[Array, dict[str, Array]]:
    trainer = kind(members, "cpu")
    losses = [trainer.run(begin, end) for begin, end in zip((0, *cuts), cuts, strict=False)]
    return np.concatenate(losses).T, trainer.state()


@pytest.mark.parametrize("stage", ON_TORCH)
@pytest.mark.parametrize("width", [1, 5])
def test_a_replayed_graph_does_the_same_steps(stage: str, width: int) -> None:
    members = differing(pack(stage, width, points=203))
    wanted, found = (trained(kind, members, 7, 10, 25) for kind in (StepByStep, Replayed))
    assert found[0].tobytes() == wanted[0].tobytes()
    assert all(found[1][name].tobytes() == values.tobytes() for name, values in wanted[1].items())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("stage", ["module", "dynamic"])
def test_slots_and_numbers_of_every_optimizer_stay_in_their_places(stage: str, optimizer: str) -> None:
    settings = OPTIMIZERS[optimizer] | ({"momentum": 0.8} if "momentum" in OPTIMIZERS[optimizer] else {})
    members = differing(pack(stage, 4, points=101, dtype="float64", optimizer=settings))
    losses, state = trained(Replayed, members, 7, 20)
    eager = trainer_of(members)
    np.testing.assert_allclose(losses, train(eager, 20), rtol=1e-9)
    for name, values in eager.state().items():
        np.testing.assert_allclose(state[name], values, rtol=1e-7, atol=1e-9 * max(1.0, float(np.abs(values).max())))


def test_capturing_trains_nothing() -> None:
    trainer = Replayed(pack("module", 3, points=203), "cpu")
    before = trainer.state()
    trainer.prepare()
    assert all((before[name] == values).all() for name, values in trainer.state().items())


@pytest.mark.parametrize("stage", ["autograd", "dynamic"])
def test_what_was_stopped_goes_on_in_other_company(stage: str) -> None:
    members = differing(pack(stage, 5, points=203))
    whole, _ = trained(Replayed, members, 30)
    _, begun = trained(Replayed, members, 13)
    resumed = Replayed(members[1:3], "cpu")
    resumed.prepare()
    resumed.load_state(rows(begun, [1, 2]))
    assert resumed.run(13, 30).T.tobytes() == whole[1:3, 13:].tobytes()


def test_the_tensors_that_the_graph_knows_are_never_replaced() -> None:
    trainer = Replayed(pack("optim", 3, points=101), "cpu")
    trainer.prepare()
    places = addresses(trainer)
    trainer.run(0, 25)
    trainer.load_state(trainer.state())
    trainer.run(25, 40)
    assert addresses(trainer) == places


def addresses(trainer: Replayed) -> list[int]:
    return [each.data_ptr() for each in (trainer.weights, *trainer.slots.values())]


def test_losses_are_not_written_over_by_the_next_replay() -> None:
    trainer = Replayed([member("autograd", points=101)] * 2, "cpu")
    first = trainer.advance(trainer.inputs(0, 10)).losses
    kept = first.clone()
    trainer.advance(trainer.inputs(10, 10))
    assert torch.equal(first, kept)


class Knot:
    """Refers to itself, so that only the garbage collector ends it, as may be with a dropped graph."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Streams and captures that do nothing, as this test needs no device: `Capture` calls them in their order."""
    stream = SimpleNamespace(wait_stream=lambda other: None)
    for name, stand_in in {"Stream": lambda: stream, "current_stream": lambda: stream, "CUDAGraph": lambda: None,
                           "stream": nullcontext, "graph": nullcontext}.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, stand_in)
    assert gc.isenabled()
    gc.freeze()  # what other tests have left is not looked at, and a collection takes no second
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize("broken", [False, True])
def test_garbage_is_collected_before_a_capture_and_not_during_it(broken: bool) -> None:
    collector_was_on: list[bool] = []
    garbage_was_there: list[bool] = []

    def work() -> None:
        collector_was_on.append(gc.isenabled())
        garbage_was_there.append(knot() is not None)
        if broken and len(collector_was_on) > cuda_graph.WARM_UPS:
            raise RuntimeError("no")

    gc.collect()  # so that a collection by chance is far off
    knot = weakref.ref(Knot())
    with pytest.raises(RuntimeError) if broken else nullcontext():
        cuda_graph.Capture(work)
    assert collector_was_on == [True] * cuda_graph.WARM_UPS + [False]
    assert garbage_was_there == [True] * cuda_graph.WARM_UPS + [False]
    assert gc.isenabled()
