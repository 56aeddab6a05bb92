"""A pack that shrinks: the trainer of the larger pack is gone, its memory with it, before the next one is made."""

import socket
import sys
import threading
import weakref
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.workers.runner.messages import is_last, train_message
from tests.workers.trainers.packs import Member, pack
from workers.protocol.messages import DropMessage, Message, SegmentMessage
from workers.protocol.wire import Wire
from workers.runner.training import Training
from workers.trainers import stage3_autograd


class Prepared(stage3_autograd.Trainer):
    """Stage 3 with something to prepare; notes its width and how many of its kind live when one is made or prepared."""

    ahead = False
    living: "weakref.WeakSet[Prepared]"
    noted: list[tuple[str, int, int]]

    def __init__(self, members: Sequence[Member], device: str) -> None:
        self.noted.append(("made", len(members), len(self.living)))
        self.living.add(self)
        super().__init__(members, device)
        self.works_ahead = self.ahead

    def prepare(self) -> None:
        self.noted.append(("prepared", self.width, len(self.living) - 1))


@pytest.fixture(params=[False, True], ids=["step by step", "ahead"])
def kind(request: pytest.FixtureRequest) -> type[Prepared]:
    return type("Noted", (Prepared,), {"ahead": request.param, "living": weakref.WeakSet(), "noted": []})


def train(kind: type[Prepared]) -> None:
    """A pack of four of which one diverges and one is dropped."""
    members = pack("autograd", 4, points=203)
    members[1] |= {"learning_rate": 1e30}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = Wire(ours)
        wire.send(DropMessage([2]))
        messages: list[Message] = []
        reader = threading.Thread(target=lambda: _read(wire, messages))
        reader.start()
        Training(Wire(theirs), train_message(members, 60), lambda path, some: kind(some, "cpu")).run()
        theirs.shutdown(socket.SHUT_WR)
        reader.join()
    assert isinstance(messages[-1], SegmentMessage), messages[-1]


def _read(wire: Wire, messages: list[Message]) -> None:
    while not messages or not is_last(messages[-1]):
        message = wire.receive(30)
        assert message is not None
        messages.append(message)


def test_the_larger_packs_trainer_is_gone_before_the_next_is_made(kind: type[Prepared]) -> None:
    train(kind)
    assert [noted[:2] for noted in kind.noted][:2] == [("made", 4), ("prepared", 4)]
    assert [noted[:2] for noted in kind.noted][-2:] == [("made", 2), ("prepared", 2)]
    assert {others for _, _, others in kind.noted} == {0}


@pytest.mark.parametrize("on_gpu", [True, False])
def test_the_memory_of_a_gpu_is_freed_before_the_next_is_made(
    kind: type[Prepared], on_gpu: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda: Any = SimpleNamespace(
        is_initialized=lambda: on_gpu, empty_cache=lambda: kind.noted.append(("freed", 0, len(kind.living)))
    )
    with monkeypatch.context() as patch:
        patch.setattr(
            "workers.runner.training.sys", SimpleNamespace(modules={**sys.modules, "torch": SimpleNamespace(cuda=cuda)})
        )
        train(kind)
    again = [*(["freed"] if on_gpu else []), "made", "prepared"]
    shrinks = [name for name, *_ in kind.noted].count("made") - 1
    assert shrinks in (1, 2)  # the two may leave together
    assert [name for name, *_ in kind.noted] == ["made", "prepared"] + again * shrinks
    assert {others for _, _, others in kind.noted} == {0}
