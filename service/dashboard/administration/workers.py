"""Workers and queues: hosts with their slots and devices, what each trains and how fast, drains and pauses."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.api_keys import Scope
from gradyard.jobs.fleet import WORKER_QUEUES, HoldKind, Queue, SlotAddress
from gradyard.store import queries
from gradyard.store.queries.page.claims import heads_of_claims
from service.dashboard.administration.asked import asked, next_address
from service.fleet_shown import queues_shown, workers_shown
from service.http.access.callers import current_caller
from service.http.parameters import PageQuery
from service.http.query_parameters.pages import refusing_wrong_cursors
from service.http.services import current_services
from service.representation.fleet import hold_answer
from service.representation.holds import Held

QUEUE_WORDS = {
    Queue.CPU: "for a CPU slot", Queue.GPU: "for a GPU slot", Queue.ANY: "for a slot of either kind",
    Queue.BLOCKED: "for other jobs first",
}  # fmt: skip
HOLD_WORDS: dict[str, str] = {HoldKind.HOST: "host", HoldKind.SLOT: "slot", HoldKind.GPU: "GPU"}
SLOTS_SHOWN = 200


@dataclass(frozen=True)
class Slot:
    """A worker process as the page shows it.

    hold: the drain of its own slot or GPU, and of_gpu which; head: the first job of its pack that the caller may see.
    """

    worker: shapes.Worker
    address: str
    hold: shapes.Hold | None
    of_gpu: bool
    head: Row[Any] | None
    pack_steps: int | None


@dataclass(frozen=True)
class Host:
    """A machine with its slots, and the drain of all of them."""

    name: str
    hold: shapes.Hold | None
    slots: tuple[Slot, ...]


def workers() -> tuple[str, dict[str, Any]]:
    """The page of workers and queues. An operator sees what all projects wait for and train, or one that is named."""
    query = asked(PageQuery)
    everyone = query.project is None and current_caller().may(Scope.OPERATOR)
    with current_services().database.snapshot() as connection, refusing_wrong_cursors():
        rows, cursor = queries.workers_in_order(connection, limit=SLOTS_SHOWN, cursor=query.cursor)
        held = Held(queries.holds(connection))
        hosts, waiting = _hosts(connection, rows, held, everyone), queues_shown(connection, everyone)
        others = [] if query.cursor else _others(queries.workers_seen(connection) if cursor else rows, held)
    return "administration/workers.html", {
        "hosts": hosts, "queues": [each for each in waiting if each.name != Queue.BLOCKED or each.depth],
        "queue_words": QUEUE_WORDS, "worker_queues": WORKER_QUEUES, "everyone": everyone,
        "counts": _counts(hosts), "other_drains": others, "next_address": next_address("workers", cursor),
        "is_first_page": query.cursor is None,
    }  # fmt: skip


def _hosts(connection: Connection, rows: Sequence[Row[Any]], held: Held, everyone: bool) -> list[Host]:
    project = None if everyone else current_caller().project_id
    heads = heads_of_claims(connection, [row.claim_id for row in rows if row.claim_id], project)
    shown = zip(rows, workers_shown(connection, rows), strict=True)
    return [
        Host(name, hold_answer(held.of(HoldKind.HOST, name)),
             tuple(_slot(row, worker, held, heads.get(row.claim_id)) for row, worker in those))
        for name, those in groupby(shown, lambda pair: pair[0].host)
    ]  # fmt: skip


def _slot(row: Row[Any], worker: shapes.Worker, held: Held, head: Row[Any] | None) -> Slot:
    address = str(SlotAddress(row.slot, row.host))
    of_gpu = held.of(HoldKind.GPU, row.device_uuid)
    hold = hold_answer(of_gpu or held.of(HoldKind.SLOT, address))
    return Slot(worker, address, hold, of_gpu is not None, head, row.steps_done)


def _counts(hosts: Sequence[Host]) -> dict[str, int]:
    """How many slots are in each state."""
    states = [slot.worker.state for host in hosts for slot in host.slots]
    return {state: states.count(state) for state in ("busy", "idle", "draining", "drained", "dead")}


def _others(rows: Sequence[Row[Any]], held: Held) -> list[tuple[str, str, shapes.Hold | None]]:
    """The drains of hosts, slots and GPUs of which no worker was seen lately: they wait for it."""
    seen = {(HoldKind.HOST, row.host) for row in rows} | {(HoldKind.GPU, row.device_uuid) for row in rows}
    seen |= {(HoldKind.SLOT, str(SlotAddress(row.slot, row.host))) for row in rows}
    return [
        (HOLD_WORDS[each.kind], each.name, hold_answer(each))
        for each in held.drains() if (each.kind, each.name) not in seen
    ]  # fmt: skip
