"""A GPU gets its next steps before the losses of the last ones are read, and no bit of a result changes."""

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tests.workers.runner.messages import is_last, train_message
from tests.workers.trainers.packs import Member, pack, train, trainer_of
from workers.protocol.messages import DropMessage, Message, SegmentMessage, StopMessage
from workers.protocol.wire import Wire
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
    segments = ahead(trainer, lambda: False, steps=3)
    assert trainer.asked == [("queue", 0), ("queue", 1), ("wait", 0), ("queue", 2), ("wait", 1), ("wait", 2)]
    assert [each.at_rest for each in segments] == [False, False, True]
    assert np.concatenate([each.losses[0] for each in segments]).tolist() == [0, 1, 2]


def test_a_loop_that_is_asked_to_rest_has_nothing_queued_at_its_yield() -> None:
    trainer = Noting()
    segments = ahead(trainer, lambda: True, steps=3)
    assert trainer.asked == [(what, step) for step in range(3) for what in ("queue", "wait")]
    assert all(each.at_rest for each in segments)


def test_an_error_of_the_device_names_the_segment_it_came_with() -> None:
    with pytest.raises(StepFailed) as raised:
        ahead(Noting(breaks_at=2), lambda: False)
    assert raised.value.step == 2
    assert "illegal memory access" in str(raised.value.__cause__)


class Timed:
    """A trainer of a simulated device, and the clock of both: seconds of the host and of the device for each step."""

    works_ahead = True

    def __init__(self, host_seconds: float, device_seconds: float) -> None:
        self.now, self._free_at = 0.0, 0.0
        self._host_seconds, self._device_seconds = host_seconds, device_seconds

    def perf_counter(self) -> float:
        return self.now

    def queue(self, begin: int, end: int) -> Callable[[], Array]:
        began, steps = max(self.now, self._free_at), end - begin
        self.now += steps * self._host_seconds
        done = self._free_at = max(began + steps * self._device_seconds, self.now)

        def losses() -> Array:
            self.now = max(self.now, done)
            return np.zeros((steps, 1), dtype=np.float32)

        return losses

    def state(self) -> dict[str, Array]:
        return {}

    def load_state(self, arrays: Mapping[str, Array]) -> None: ...


@pytest.mark.parametrize(("host_seconds", "device_seconds"), [(3e-4, 3e-5), (3e-5, 3e-4), (3e-4, 3e-4), (2e-4, 3e-4)])
def test_segments_settle_at_their_seconds_whether_host_or_device_is_slower(
    monkeypatch: pytest.MonkeyPatch, host_seconds: float, device_seconds: float
) -> None:
    trainer = Timed(host_seconds, device_seconds)
    monkeypatch.setattr("workers.runner.loop_ahead.time", trainer)
    yielded = segments_ahead(trainer, steps=100_000, begin=0, seconds=0.2, rest=lambda: False)
    ends = [trainer.now for _ in yielded]
    slower = max(host_seconds, device_seconds)
    assert max(np.diff(ends)) < 0.5
    assert np.diff(ends)[9:-2] == pytest.approx(0.2, rel=0.05)
    assert ends[-1] == pytest.approx(100_000 * slower, rel=0.05)


def trained(kind: Any, members: list[Member], orders: Sequence[Message] = (), **options: Any) -> list[SegmentMessage]:
    """The segments that a runner sends of a pack; `orders` are there when it begins."""
    ours, theirs = socket.socketpair()
    segments: list[SegmentMessage] = []
    with ours, theirs:
        wire = Wire(ours)
        for order in orders:
            wire.send(order)

        def listen() -> None:
            while not segments or not is_last(segments[-1]):
                message = wire.receive(30)
                assert isinstance(message, SegmentMessage), message
                segments.append(message)

        listener = threading.Thread(target=listen)
        listener.start()
        Training(Wire(theirs), train_message(members, 60, **options), lambda path, some: kind(some, "cpu")).run()
        listener.join()
    return segments


def curve(segments: list[SegmentMessage], member: int) -> np.ndarray:
    """The losses of that member, as far as they were sent."""
    return np.concatenate([each.losses[each.rows[member]] for each in segments if member in each.rows])


def test_a_pack_has_the_bits_that_it_has_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.runner.training.SEND_SECONDS", 0.0)
    members = pack("autograd", 3, points=203)
    segments = trained(OnADevice, members, record_seconds=0.0)
    plain = trainer_of(members)
    losses = train(plain, 60)
    assert [curve(segments, member).tobytes() for member in range(3)] == [row.tobytes() for row in losses]
    last = segments[-1].state
    assert last is not None
    assert all(last[name].tobytes() == each.tobytes() for name, each in plain.state().items())
    for segment in segments:  # every state is the one after the segment's last step
        if segment.state is not None:
            until = trainer_of(members)
            train(until, segment.end_step)
            assert segment.state["a"].tobytes() == until.state()["a"].tobytes()


def test_a_member_that_diverges_or_is_dropped_leaves_and_changes_no_other_ones_bits() -> None:
    members = pack("autograd", 4, points=203)
    members[1] = members[1] | {"learning_rate": 1e30}
    segments = trained(OnADevice, members, [DropMessage([2])])
    losses = train(trainer_of([members[0], members[3]]), 60)
    assert [curve(segments, member).tobytes() for member in (0, 3)] == [row.tobytes() for row in losses]
    assert not np.isfinite(curve(segments, 1)).all()
    assert len(curve(segments, 2)) < 60
    assert segments[-1].members == [0, 3]


def test_a_stop_is_answered_with_the_state_after_the_last_step_sent() -> None:
    members = pack("autograd", 2, points=203)
    segments = trained(OnADevice, members, [StopMessage()])
    (last,) = [segment for segment in segments if segment.stopped]
    until = trainer_of(members)
    assert 0 < last.end_step < 60
    train(until, last.end_step)
    assert last.state is not None
    assert last.state["a"].tobytes() == until.state()["a"].tobytes()
