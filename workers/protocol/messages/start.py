"""What a runner tells its supervisor once, when it starts."""

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
