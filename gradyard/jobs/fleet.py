"""The vocabulary of the fleet: queues, slot addresses, kinds of holds, counters."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Queue(StrEnum):
    """Where a job waits. A worker listens to `cpu` or `gpu`; a job of `any` waits for either.

    A job of `blocked` waits for other jobs first (`depends_on`). No worker listens there, none of an older version
    either, and it is counted in no other queue.
    """

    CPU = "cpu"
    GPU = "gpu"
    ANY = "any"
    BLOCKED = "blocked"


CLAIMED_QUEUES = (Queue.CPU, Queue.GPU, Queue.ANY)
"""The queues whose jobs wait for nothing but a worker."""

WORKER_QUEUES = (Queue.CPU, Queue.GPU)
"""The queues that a worker can listen to, and that have a bell."""


class HoldKind(StrEnum):
    """What can be put on hold: a queue is paused; a host, a slot or a GPU is drained."""

    QUEUE = "queue"
    HOST = "host"
    SLOT = "slot"
    GPU = "gpu"


class FleetCounter(StrEnum):
    """What workers, maintenance and the API count; packs are counted by their size as well (`pack_counter`)."""

    JOBS_FINISHED = "jobs_finished"
    FENCED_WRITES = "fenced_writes"
    LEASES_LOST = "leases_lost"
    RUNNER_DEATHS = "runner_deaths"
    MESSAGES_DROPPED = "messages_dropped"
    PACK_MEMBERS = "pack_members"
    JOBS_EXPIRED = "jobs_expired"
    UNAUTHORIZED_REQUESTS = "unauthorized_requests"
    WEBHOOKS_DELIVERED = "webhooks_delivered"
    WEBHOOK_TRIES_FAILED = "webhook_tries_failed"


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
