"""A device that works by itself has its next steps before the last ones' losses are read; no result shows it."""

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tests.workers.trainers.packs import Member, pack, train, trainer_of
from workers.protocol.wire import Frame, Wire
from workers.runner.loop import Segment, StepFailed
from workers.runner.loop_ahead import segments_ahead
from workers.runner.training import Training
from workers.trainers import stage3_autograd
from workers.trainers.contract import Array


class Noting:
    """Two members whose losses are the step; notes what it is asked for, in order."""

    works_ahead = True

    def __init__(self, breaks_at: int | None = None) -> None:
        self.asked: list[tuple[str, int]] = []
        self._breaks_at = breaks_at

    def queue(self, begin: int, end: int) -> Callable[[], Array]:
        self.asked.append(("queue", begin))

        def losses() -> Array:
            self.asked.append(("wait", begin))
            if self._breaks_at in range(begin, end):
                raise RuntimeError("CUDA error: an illegal memory access")
            return np.repeat(np.arange(begin, end, dtype=np.float32)[:, np.newaxis], 2, axis=1)

        return losses

    def state(self) -> dict[str, Array]:
        return {}

    def load_state(self, arrays: Mapping[str, Array]) -> None: ...


class OnADevice(stage3_autograd.Trainer):
    """Stage 3 as a device would have it: its state is that of the last step queued."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        super().__init__(members, device)
        self.works_ahead = True


def ahead(trainer: Noting, rests: Callable[[], bool], steps: int = 40) -> list[Segment]:
    return list(segments_ahead(trainer, steps=steps, begin=0, seconds=1e-9, rest=rests))


def test_the_next_segment_is_queued_before_the_last_one_is_waited_for() -> None:
    trainer = Noting()
    found = ahead(trainer, lambda: False, steps=3)
    assert trainer.asked == [("queue", 0), ("queue", 1), ("wait", 0), ("queue", 2), ("wait", 1), ("wait", 2)]
    assert [each.at_rest for each in found] == [False, False, True]
    assert np.concatenate([each.losses[0] for each in found]).tolist() == [0, 1, 2]


def test_a_loop_that_is_asked_to_rest_has_nothing_queued_at_its_yield() -> None:
    trainer = Noting()
    found = ahead(trainer, lambda: True, steps=3)
    assert trainer.asked == [(what, step) for step in range(3) for what in ("queue", "wait")]
    assert all(each.at_rest for each in found)


def test_an_error_of_the_device_names_the_segment_it_came_with() -> None:
    with pytest.raises(StepFailed) as raised:
        ahead(Noting(breaks_at=2), lambda: False)
    assert raised.value.step == 2
    assert "illegal memory access" in str(raised.value.__cause__)


def said(kind: Any, members: list[Member], orders: Sequence[Frame] = (), **options: Any) -> list[Frame]:
    """What a runner says of a pack; `orders` are there when it begins."""
    ours, theirs = socket.socketpair()
    fields = {"trainer": "x:Y", "otherwise": None, "members": members, "steps": 60, "start_step": 0,
              "segment_seconds": 1e-9, "record_seconds": 3600.0, **options}  # fmt: skip
    frames: list[Frame] = []
    with ours, theirs:
        wire = Wire(ours)
        for order in orders:
            wire.send(order)

        def listen() -> None:
            while not frames or not (frames[-1].kind == "failed" or "results" in frames[-1].fields
                                     or frames[-1].fields["stopped"]):  # fmt: skip
                frames.append(wire.receive(30) or Frame("failed"))

        listener = threading.Thread(target=listen)
        listener.start()
        Training(Wire(theirs), Frame("train", fields), lambda path, some: kind(some, "cpu")).run()
        listener.join()
    return frames


def curve(frames: list[Frame], member: int) -> np.ndarray:
    """Of that member, as far as it is told."""
    told = [f.arrays["losses"][f.fields["members"].index(member)] for f in frames if member in f.fields["members"]]
    return np.concatenate(told)


def test_a_pack_has_the_bits_that_it_has_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.runner.training.SEND_SECONDS", 0.0)
    members = pack("autograd", 3, points=203)
    frames = said(OnADevice, members, record_seconds=0.0)
    plain = trainer_of(members)
    losses = train(plain, 60)
    assert [curve(frames, member).tobytes() for member in range(3)] == [row.tobytes() for row in losses]
    assert all(frames[-1].arrays[f"state.{name}"].tobytes() == each.tobytes() for name, each in plain.state().items())
    for frame in frames:  # every state is that after the frame's last step
        if frame.fields.get("whole"):
            end = frame.fields["start_step"] + frame.arrays["losses"].shape[1]
            until = trainer_of(members)
            train(until, end)
            assert frame.arrays["state.a"].tobytes() == until.state()["a"].tobytes()


def test_one_that_diverges_or_is_dropped_leaves_and_changes_nobodys_bits() -> None:
    members = pack("autograd", 4, points=203)
    members[1] = members[1] | {"learning_rate": 1e30}
    frames = said(OnADevice, members, [Frame("drop", {"members": [2]})])
    losses = train(trainer_of([members[0], members[3]]), 60)
    assert [curve(frames, member).tobytes() for member in (0, 3)] == [row.tobytes() for row in losses]
    assert not np.isfinite(curve(frames, 1)).all()
    assert len(curve(frames, 2)) < 60
    assert frames[-1].fields["members"] == [0, 3]


def test_a_stop_is_answered_with_the_state_after_the_last_step_told() -> None:
    members = pack("autograd", 2, points=203)
    frames = said(OnADevice, members, [Frame("stop")])
    (last,) = [frame for frame in frames if frame.fields["stopped"]]
    until = trainer_of(members)
    steps = last.fields["start_step"] + last.arrays["losses"].shape[1]
    assert 0 < steps < 60
    train(until, steps)
    assert last.arrays["state.a"].tobytes() == until.state()["a"].tobytes()
