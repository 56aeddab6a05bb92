"""Who a worker is, what it may claim, and what its heartbeats report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from gradyard.jobs.fleet import SlotAddress

OTHER_NAME_DIGITS = 4  # of its machine, behind the name of a slot that two machines of one host name have


@dataclass(frozen=True)
class Capabilities:
    """What decides which jobs a worker may claim. `stages` are pairs of name and numerics version."""

    queue: str
    stages: tuple[tuple[str, int], ...]
    pool: str | None
    memory_mib: int
    engines: tuple[str, ...] = ("eager",)


@dataclass
class WorkerInfo:
    """A worker process: its slot and host, its device, and its stages (name to numerics version).

    machine: equal for workers whose pids are of one boot and one PID namespace. Hosts may share a name; then one of two
    slots of one name takes another (`take_another_name`).
    """

    id: UUID
    host: str
    slot: str
    queue: str
    pid: int
    stages: dict[str, int]
    pool: str | None = None
    device_name: str = "cpu"
    device_uuid: str | None = None
    memory_mib: int | None = None
    versions: dict[str, str] = field(default_factory=dict)
    engines: tuple[str, ...] = ("eager",)
    most_members: int = 512  # of one pack
    shares_device: bool = False  # with other slots of its pool
    machine: str = ""

    @property
    def capabilities(self) -> Capabilities:
        """The facts that decide what it may claim."""
        return Capabilities(self.queue, tuple(self.stages.items()), self.pool, self.memory_mib or 0, self.engines)

    @property
    def address(self) -> SlotAddress:
        """Its slot and host, as holds and messages name them."""
        return SlotAddress(self.slot, self.host)

    @property
    def name(self) -> str:
        """Its name as an actor in events."""
        return f"worker {self.address} (pid {self.pid})"

    @property
    def slot_names(self) -> tuple[str, str]:
        """The name that its slot was given, and the other one that it takes where that is in use elsewhere."""
        suffix = f"-{self.machine[:OTHER_NAME_DIGITS]}"
        given = self.slot.removesuffix(suffix)
        return given, given + suffix

    def take_another_name(self) -> None:
        """Call the slot by its other name from now on, since a worker of another machine has the given one."""
        self.slot = self.slot_names[1]


@dataclass(frozen=True)
class HeartbeatReport:
    """What a heartbeat reports: throughput, the state of the device, and counts since the last heartbeat."""

    steps_per_second: float = 0.0  # of all members of its pack together
    jobs_per_second: float = 0.0
    utilization_percent: float | None = None
    temperature_celsius: float | None = None
    memory_used_mib: int | None = None
    happened: Mapping[str, int] = field(default_factory=dict)
    number: int = 1  # of what happened: it rises with each report of a process, and one that is repeated counts once

    def columns(self) -> dict[str, float | None]:
        """The gauges, by the names of the columns of `workers`."""
        names = ("steps_per_second", "jobs_per_second", "utilization_percent", "temperature_celsius", "memory_used_mib")
        return {name: getattr(self, name) for name in names}
