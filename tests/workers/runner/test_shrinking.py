"""A pack that shrinks: the trainer of the larger pack is gone, its memory with it, before the next one is made."""

import socket
import sys
import threading
import weakref
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.workers.trainers.packs import Member, pack
from workers.protocol.wire import Frame, Wire
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
    fields = {"trainer": "x:Y", "otherwise": None, "members": members, "steps": 60, "start_step": 0,
              "segment_seconds": 1e-9, "record_seconds": 3600.0}  # fmt: skip
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = Wire(ours)
        wire.send(Frame("drop", {"members": [2]}))
        frames: list[Frame] = []
        reader = threading.Thread(target=lambda: _read(wire, frames))
        reader.start()
        Training(Wire(theirs), Frame("train", fields), lambda path, some: kind(some, "cpu")).run()
        theirs.shutdown(socket.SHUT_WR)
        reader.join()
    assert "results" in frames[-1].fields, frames[-1].fields


def _read(wire: Wire, frames: list[Frame]) -> None:
    while not frames or not (frames[-1].kind == "failed" or "results" in frames[-1].fields):
        frames.append(wire.receive(30) or Frame("failed"))


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
