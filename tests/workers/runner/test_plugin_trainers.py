"""Trainers of plug-ins, in a runner and in the records that a supervisor makes: unusual, careless and wrong ones."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch

from gradyard.store.lifecycle import Claim, ClaimedJob, Progress
from tests.workers.runner.messages import is_last, train_message
from workers.protocol.messages import FailedMessage, HelloMessage, MemberResult, Message, SegmentMessage
from workers.protocol.wire import Wire
from workers.runner.training import Training
from workers.supervisor.pack import Pack

STEPS = 9
RUNNER = HelloMessage(1, {"numpy": "2", "torch": "2"}, "cpu", None, 1, "cpu")


class Walk:
    """Losses are 1 / (t + 1). It has no state."""

    def __init__(self, members: Sequence[Mapping[str, Any]], device: str) -> None:
        self.width = len(members)

    def step(self, t: int) -> Any:
        return np.full(self.width, 1.0 / (t + 1), np.float32)

    def state(self) -> dict[str, np.ndarray]:
        return {}

    def load_state(self, arrays: Mapping[str, np.ndarray]) -> None: ...


class Measured(Walk):
    """Measures the number of the step itself, at every fourth step."""

    every: Any = 4

    def measure(self, t: int) -> dict[str, Any]:
        return {"step": np.full(self.width, t)}


def trained(
    kind: type[Walk], width: int = 2, steps: int = STEPS, monkeypatch: pytest.MonkeyPatch | None = None, **options: Any
) -> list[Message]:
    """What a runner sends of a pack of that kind."""
    ours, theirs = socket.socketpair()
    train = train_message([{"dtype": "float32", "seed": seed} for seed in range(width)], steps, **options)
    if monkeypatch is not None:
        monkeypatch.setattr("workers.runner.training.SEND_SECONDS", 0.0)  # a message for every step
    with ours, theirs:
        Training(Wire(theirs), train, lambda path, some: kind(some, "cpu")).run()
        theirs.shutdown(socket.SHUT_WR)
        wire = Wire(ours)
        messages: list[Message] = []
        while not messages or not is_last(messages[-1]):
            message = wire.receive(5)
            assert message is not None
            messages.append(message)
    return messages


def segments_of(messages: list[Message]) -> list[SegmentMessage]:
    """The messages, which must all be segments."""
    segments = [each for each in messages if isinstance(each, SegmentMessage)]
    assert len(segments) == len(messages), messages
    return segments


def failure_of(messages: list[Message]) -> FailedMessage:
    """The last message, which must be a failure."""
    *_, last = messages
    assert isinstance(last, FailedMessage), last
    return last


def recorded(segments: list[SegmentMessage], width: int = 2, steps: int = STEPS) -> list[Progress]:
    """The records that these segments make."""
    jobs = [ClaimedJob(UUID(int=n), 1, UUID(int=99), {}, {}, "sha", 60.0, 0, None) for n in range(width)]
    pack = Pack(Claim(UUID(int=99), "tensor", steps, 0, "eager", jobs), RUNNER)
    records: list[Progress] = []
    for segment in segments:
        pack.take(segment)
        for member in pack.members_to_record(segment):
            progress = pack.progress(member, segment)
            member.mark_recorded(progress)
            records.append(progress)
    return records


def test_a_trainer_without_a_state_is_recorded_and_can_be_resumed() -> None:
    segments = segments_of(trained(Walk))
    records = recorded(segments)
    assert [(each.steps_done, each.checkpoint is not None) for each in records] == [(STEPS, True)] * 2
    assert segments[-1].results == [MemberResult(True, None, None)] * 2


@pytest.mark.parametrize("slowly", [False, True])
@pytest.mark.parametrize("steps", [8, STEPS])  # `every` divides the first: there the end is one more measured step
def test_metrics_are_of_the_steps_that_every_divides_and_of_the_end_however_the_steps_are_sent(
    slowly: bool, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runner.training.SEND_SECONDS", 600.0)  # one message at the end, unless slowly
    segments = segments_of(trained(Measured, steps=steps, monkeypatch=monkeypatch if slowly else None))
    assert (len(segments) > 3) is slowly
    for record in recorded(segments, steps=steps):
        assert (record.every, {name: each.tolist() for name, each in record.metrics.items()}) == (
            4,
            {"step": list(range(0, steps, 4))},
        )
        assert record.metrics["step"].dtype == np.float64
        assert record.final_metrics == {"step": steps}


def test_only_members_that_reach_the_end_are_measured_there() -> None:
    class Diverges(Measured):
        def step(self, t: int) -> Any:
            losses = super().step(t)
            losses[1:] = np.nan if t == STEPS - 1 else 1.0
            return losses

    sound, diverged = recorded(segments_of(trained(Diverges)))
    assert (sound.final_metrics, diverged.final_metrics) == ({"step": STEPS}, {})


def test_a_segment_before_the_last_has_no_measure_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    *before, last = segments_of(trained(Measured, monkeypatch=monkeypatch))
    assert before
    assert [each.final_metrics for each in before] == [{}] * len(before)
    assert last.final_metrics["step"].tolist() == [STEPS] * 2


def test_a_state_that_is_too_large_is_not_recorded_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.supervisor.pack.MOST_STATE_BYTES", 7)

    class Large(Walk):
        def state(self) -> dict[str, np.ndarray]:
            return {"a": np.zeros((self.width, 2), np.float32)}

    *segments, last = segments_of(trained(Large, monkeypatch=monkeypatch))
    with_state = [replace(each, state={"a": np.zeros((2, 2), np.float32)}) for each in segments]
    records = recorded([*with_state, last])
    assert [(each.start_step, each.steps_done) for each in records] == [(0, STEPS)] * 2


def test_tensors_need_no_help_to_become_arrays() -> None:
    class InTorch(Walk):
        def step(self, t: int) -> Any:
            return torch.full((self.width,), 0.5, requires_grad=True)

    assert recorded(segments_of(trained(InTorch)))[0].losses.tolist() == [0.5] * STEPS


def _step(value: Callable[[int], Any]) -> dict[str, Any]:
    return {"step": lambda self, t: value(self.width)}


def _measure(value: Callable[[int, int], Any], every: Any = 1) -> dict[str, Any]:
    return {"every": every, "measure": lambda self, t: value(self.width, t)}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "losses of another dtype": (_step(lambda n: np.ones(n)), "losses of dtype float64, and the jobs are of float32"),
    "a loss for the pack": (_step(lambda n: np.float32(1)), "one loss a member"),
    "losses for too few": (_step(lambda n: np.ones(1, np.float32)), "one loss a member"),
    "losses in two columns": (_step(lambda n: np.ones((n, 2), np.float32)), ""),
    "every is a float": (_measure(lambda n, t: {}, 2.0), "every is 2.0"),
    "every is 0": (_measure(lambda n, t: {}, 0), ""),
    "every is negative": (_measure(lambda n, t: {}, -1), "every is -1"),
    "metrics of texts": (_measure(lambda n, t: {"m": np.array(["a"] * n)}), "must be numbers"),
    "metrics of complex numbers": (_measure(lambda n, t: {"m": np.ones(n, complex)}), "must be numbers"),
    "a metric for the pack": (_measure(lambda n, t: {"m": np.ones(1)}), "one number a member"),
    "two numbers a member": (_measure(lambda n, t: {"m": np.ones((n, 2))}), ""),
    "a metric that comes and goes": (_measure(lambda n, t: {"m": np.ones(n)} if t % 2 else {}), "in every call"),
    "a metric without a name": (_measure(lambda n, t: {"": np.ones(n)}), "is not a name"),
    "a metric that is a path": (_measure(lambda n, t: {"a/b": np.ones(n)}), "is not a name"),
    "measure raises": (_measure(lambda n, t: 1 / 0), "ZeroDivisionError"),
    "measure raises at the end": (_measure(lambda n, t: {"m": np.ones(n) / (t < STEPS or 1 / 0)}), "ZeroDivisionError"),
    "another metric at the end": (_measure(lambda n, t: {"m" if t < STEPS else "n": np.ones(n)}), "in every call"),
    "no metric at the end": (_measure(lambda n, t: {"m": np.ones(n)} if t < STEPS else {}), "in every call"),
    "two numbers at the end": (_measure(lambda n, t: {"m": np.ones((n, 2) if t == STEPS else n)}), "after the last"),
    "a text at the end": (_measure(lambda n, t: {"m": np.array(["a"] * n) if t == STEPS else np.ones(n)}), "numbers"),
    "arrays of objects": ({"arrays": lambda self: {"m": np.array([None] * self.width)}}, "must be numbers"),
    "arrays of long doubles": ({"arrays": lambda self: {"m": np.ones(self.width, np.longdouble)}}, "must be numbers"),
    "an array for the pack": ({"arrays": lambda self: {"m": np.ones(5)}}, "its first axis"),
    "arrays raises": ({"arrays": lambda self: 1 / 0}, "ZeroDivisionError"),
}


@pytest.mark.parametrize(("methods", "part_of_message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_trainer_fails_with_an_error_that_says_why(methods: dict[str, Any], part_of_message: str) -> None:
    failed = failure_of(trained(type("Wrong", (Walk,), methods)))
    assert part_of_message in failed.message
    assert (failed.out_of_memory, failed.member) == (False, None)


def test_arrays_that_are_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Large(Walk):
        def arrays(self) -> dict[str, np.ndarray]:
            return {"m": np.zeros((self.width, 100))}

    monkeypatch.setattr("workers.runner.checked_outputs.MOST_BYTES", 799)
    assert "800 bytes a member" in failure_of(trained(Large)).message
    monkeypatch.undo()
    monkeypatch.setattr("workers.runner.checked_outputs.MOST_BYTES_OF_A_PACK", 1599)
    assert "the arrays of a pack of 2 have 1,600 bytes" in failure_of(trained(Large)).message
    assert segments_of(trained(Large, width=1))
