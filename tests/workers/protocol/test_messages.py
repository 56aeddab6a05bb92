"""Every message decodes to what was encoded, and a frame that is not the message of its kind is refused."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from workers.protocol.frame import Frame, FrameBroken, decode, encode
from workers.protocol.messages import (
    BegunMessage,
    DropMessage,
    FailedMessage,
    FallbackMessage,
    HelloMessage,
    IdleMessage,
    MemberResult,
    Message,
    NoDeviceMessage,
    NoStartMessage,
    PreparingMessage,
    SegmentMessage,
    StopMessage,
    TrainMessage,
    message_of,
)

X, Y = np.array([0.1, -0.0, 1e300]), np.arange(3.0)
TRAIN = TrainMessage(
    trainer="module:Class", fallback="module:Eager", members=[{"dataset": {"kind": "inline"}}, {"seed": 1}], steps=10,
    start_step=4, segment_seconds=0.2, record_seconds=5.0, state={"momentum.a": np.ones((2, 1), np.float32)},
    data=[{"x": X, "y": Y}], data_index=[0, None],
)  # fmt: skip
SEGMENT = SegmentMessage(
    members=[0, 2], start_step=8, losses=np.ones((2, 5), np.float32), seconds=0.1, setup_seconds=1.5, every=4,
    metrics={"norm": np.ones((2, 2))}, state={"a": np.array([1.0, 2.0])},
    results=[MemberResult(True, {"a": 0.5}, "y = 0.5"), MemberResult(False, None, None)],
    artifacts={"layer.0": np.array([[1], [2]])}, final_metrics={"norm": np.array([3.0, 4.0])},
)  # fmt: skip
MESSAGES: list[Message] = [
    TRAIN, SEGMENT, DropMessage([1, 2]), StopMessage(), BegunMessage(), PreparingMessage(), IdleMessage(),
    SegmentMessage(members=[3], start_step=0, losses=np.ones((1, 0)), seconds=0.0, setup_seconds=0.0, stopped=True),
    HelloMessage(1, {"numpy": "2"}, "cpu", None, 1, "cpu/AVX2/threads=1"), NoDeviceMessage("no"), NoStartMessage("no"),
    FallbackMessage("Traceback"), FailedMessage("ValueError: no", 3, "Traceback", False, True, None),
]  # fmt: skip


def plain(value: Any) -> Any:
    """The value with arrays as their dtype, shape and bytes, so that it can be compared."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
def test_every_message_comes_out_as_it_went_in(message: Message) -> None:
    received = message_of(decode(encode(message.to_frame())))
    assert type(received) is type(message)
    for each in fields(message):  # type: ignore[arg-type]
        assert plain(getattr(received, each.name)) == plain(getattr(message, each.name)), each.name


def test_every_kind_is_one_messages() -> None:
    kinds = {type(each): each.kind for each in MESSAGES}
    assert len(set(kinds.values())) == len(kinds) == len(Message.__subclasses__()) - 1  # a checkpoint is never sent


@pytest.mark.parametrize("frame", [
    Frame("unheard of"), Frame("drop"), Frame("drop", {"members": [], "more": 1}), Frame("segment", {"members": []}),
    Frame("checkpoint", {}, {"a": X}),
])  # fmt: skip
def test_a_frame_that_is_not_the_message_of_its_kind_is_refused(frame: Frame) -> None:
    with pytest.raises(FrameBroken):
        message_of(frame)


def test_a_trainer_gets_data_sets_back_as_arrays_that_it_cannot_change() -> None:
    received = message_of(decode(bytearray(encode(TRAIN.to_frame()))))
    assert isinstance(received, TrainMessage)
    first, second = received.members_with_data()
    assert plain(first["dataset"]) == plain({"kind": "inline", "x": X, "y": Y})
    assert second == {"seed": 1}
    with pytest.raises(ValueError, match="read-only"):
        first["dataset"]["x"][0] = 1.0


def test_a_segment_gives_each_member_its_own() -> None:
    assert (SEGMENT.end_step, SEGMENT.finished, SEGMENT.state_bytes) == (13, True, 8)
    assert plain(SEGMENT.state_of(2)) == {"a": 2.0}
    assert SEGMENT.state_of(1) is None
    assert SEGMENT.result_of(0).coefficients == {"a": 0.5}
    assert SEGMENT.final_metrics_of(2) == {"norm": 4.0}
    assert SEGMENT.artifacts_of(2)["layer.0"].tolist() == [2]
    assert [SEGMENT.measured_before(step) for step in (8, 9, 12, 13)] == [0, 1, 1, 2]
