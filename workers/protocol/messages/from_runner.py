"""What a runner tells its supervisor of a pack, all but its segments (`segment.py`)."""

from dataclasses import dataclass
from typing import ClassVar

from workers.protocol.messages.message import Message


@dataclass(frozen=True)
class BegunMessage(Message):
    """The runner has the pack. If it dies after this, the pack may be the cause."""

    kind: ClassVar[str] = "begun"


@dataclass(frozen=True)
class PreparingMessage(Message):
    """A compiler works now: no other message comes for minutes."""

    kind: ClassVar[str] = "preparing"


@dataclass(frozen=True)
class FallbackMessage(Message):
    """The trainer could not be compiled; the pack is trained by its fallback."""

    kind: ClassVar[str] = "fallback"
    traceback: str


@dataclass(frozen=True)
class FailedMessage(Message):
    """The trainer raised, and the pack is over. `member` is the index of the one that the trainer named, if it did.

    `device_error`: CUDA itself failed, and this process can no longer use its GPU.
    """

    kind: ClassVar[str] = "failed"
    message: str
    step: int
    traceback: str
    out_of_memory: bool
    device_error: bool
    member: int | None


@dataclass(frozen=True)
class IdleMessage(Message):
    """Every member of the pack has left: dropped or diverged."""

    kind: ClassVar[str] = "idle"
