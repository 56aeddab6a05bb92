"""One frozen dataclass for each kind of frame between a supervisor and its runner. Both ends use these alone."""

from workers.protocol.frame import Frame, FrameBroken
from workers.protocol.messages.from_runner import (
    BegunMessage,
    FailedMessage,
    FallbackMessage,
    IdleMessage,
    PreparingMessage,
)
from workers.protocol.messages.message import Message
from workers.protocol.messages.segment import MemberResult, SegmentMessage
from workers.protocol.messages.start import HelloMessage, NoDeviceMessage, NoStartMessage
from workers.protocol.messages.to_runner import DropMessage, StopMessage, TrainMessage

_MESSAGES: tuple[type[Message], ...] = (
    TrainMessage, DropMessage, StopMessage, HelloMessage, NoDeviceMessage, NoStartMessage, BegunMessage,
    PreparingMessage, FallbackMessage, SegmentMessage, FailedMessage, IdleMessage,
)  # fmt: skip
_BY_KIND = {each.kind: each for each in _MESSAGES}


def message_of(frame: Frame) -> Message:
    """The message that a frame carries. Raises FrameBroken where its kind is unknown or its fields do not fit."""
    if frame.kind not in _BY_KIND:
        raise FrameBroken(f"there is no message of kind {frame.kind!r}")
    return _BY_KIND[frame.kind].from_frame(frame)


__all__ = [
    "BegunMessage", "DropMessage", "FailedMessage", "FallbackMessage", "HelloMessage", "IdleMessage", "MemberResult",
    "Message", "NoDeviceMessage", "NoStartMessage", "PreparingMessage", "SegmentMessage", "StopMessage",
    "TrainMessage", "message_of",
]  # fmt: skip
