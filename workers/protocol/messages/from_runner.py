"""What a runner tells its supervisor, all but segments (`segment.py`)."""

from dataclasses import dataclass
from typing import ClassVar

from workers.protocol.messages.message import Message


@dataclass(frozen=True)
class HelloMessage(Message):
    """The runner can compute. What decides the bits of its results, and the process that it is.

    `versions` by the names of packages. `device_uuid` is None on a CPU. Machines of one `numerics_class` give the same
    bits.
    """

    kind: ClassVar[str] = "hello"
    pid: int
    versions: dict[str, str]
    device: str
    device_uuid: str | None
    threads: int
    numerics_class: str


@dataclass(frozen=True)
class NoDeviceMessage(Message):
    """The runner's GPU does not compute. The runner ends."""

    kind: ClassVar[str] = "no device"
    reason: str


@dataclass(frozen=True)
class NoStartMessage(Message):
    """The runner cannot start, and its GPU is not the cause. The runner ends."""

    kind: ClassVar[str] = "no start"
    reason: str


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
