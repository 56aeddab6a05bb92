"""The vocabulary of the fleet: queues, slot addresses, kinds of holds, counters."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Queue(StrEnum):
    """Where a job waits. A worker listens to `cpu` or `gpu`; a job of `any` waits for either."""

    CPU = "cpu"
    GPU = "gpu"
    ANY = "any"


WORKER_QUEUES = (Queue.CPU, Queue.GPU)
"""The queues that a worker can listen to, and that have a bell."""


class HoldKind(StrEnum):
    """What can be put on hold: a queue is paused; a host, a slot or a GPU is drained."""

    QUEUE = "queue"
    HOST = "host"
    SLOT = "slot"
    GPU = "gpu"


class FleetCounter(StrEnum):
    """What workers and maintenance count; packs are counted by their size as well (`pack_counter`)."""

    JOBS_FINISHED = "jobs_finished"
    FENCED_WRITES = "fenced_writes"
    LEASES_LOST = "leases_lost"
    RUNNER_DEATHS = "runner_deaths"
    PACK_MEMBERS = "pack_members"


@dataclass(frozen=True)
class SlotAddress:
    """A slot of a host, written `cpu-0@host`: slot names are unique on their host alone."""

    slot: str
    host: str

    def __str__(self) -> str:
        return f"{self.slot}@{self.host}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The address that the text writes; None where it has no `@` or a side is empty."""
        slot, at, host = text.partition("@")
        return cls(slot, host) if at and slot and host else None
