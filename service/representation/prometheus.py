"""Metrics for Prometheus. All are read from SQL, so that every API process answers the same numbers."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Connection

from gradyard.jobs.fleet import WORKER_QUEUES, Queue
from gradyard.jobs.states import FINISHED
from gradyard.jobs.storage import StoredKind
from gradyard.store import fleet, queries
from gradyard.store.database import Database
from gradyard.store.webhooks.deliveries import waiting_figures
from service.representation import counted_metrics
from service.representation.holds import Held

FRESH_SECONDS = 5.0  # counting a million jobs takes 0.1 s, too long for every scrape
SLOT_LABELS = ("host", "slot")
GAUGES = {
    "steps_per_second": ("worker_steps_per_second", "Steps a second of all members of the worker's pack", 1.0),
    "jobs_per_second": ("worker_jobs_per_second", "Jobs that finished on the worker, in the last minute", 1.0),
}
GPU_GAUGES = {
    "utilization_percent": ("gpu_utilization_ratio", "Utilization of the worker's GPU", 0.01),
    "temperature_celsius": ("gpu_temperature_celsius", "Temperature of the worker's GPU", 1.0),
    "memory_used_mib": ("gpu_memory_used_bytes", "Memory in use on the worker's GPU", 2.0**20),
    "device_memory_mib": ("gpu_memory_bytes", "Memory of the worker's GPU", 2.0**20),
}
CPU_GAUGES = {
    "utilization_percent": ("worker_cores_used", "Cores that the processes of a CPU slot use", 0.01),
    "memory_used_mib": ("worker_memory_bytes", "Memory in use by the processes of a CPU slot", 2.0**20),
}


class Metrics:
    """A collector of `prometheus_client`; `collect` reads at most every few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: list[Metric] = []
        self._read_at = -FRESH_SECONDS

    def collect(self) -> Iterable[Metric]:
        """Every metric; DatabaseUnavailable where the database does not answer."""
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_SECONDS:
                with self._database.read() as connection:
                    self._known = list(_metrics(connection))
                self._read_at = time.monotonic()
            return self._known


def _metrics(connection: Connection) -> Iterator[Metric]:
    held, seen = Held(queries.holds(connection)), queries.workers_seen(connection)
    yield from _jobs(connection)
    yield from _queues(connection, held)
    yield from _slots(connection)
    yield from _workers(seen, held)
    yield _stored(connection)
    yield from _webhooks(connection)
    yield from counted_metrics.families(queries.counters(connection), seen)


def _jobs(connection: Connection) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("gradyard_jobs", "Jobs by state, stage and reason", labels=("state", "stage", "reason"))
    finished: Counter[tuple[str, str]] = Counter()
    for each in queries.job_counts(connection):
        if not each.deleted:
            jobs.add_metric((each.state, each.stage, each.reason or ""), each.count)
        if each.state in FINISHED:
            finished[each.stage, each.state] += each.count
    yield jobs
    text = "Jobs that ever finished, deleted ones included"
    ever = CounterMetricFamily("gradyard_jobs_finished", text, labels=("stage", "state"))
    for labels, count in finished.items():
        ever.add_metric(labels, count)
    yield ever


def _queues(connection: Connection, held: Held) -> Iterator[Metric]:
    depth = GaugeMetricFamily("gradyard_queue_depth", "Jobs that wait", labels=("queue",))
    oldest = GaugeMetricFamily("gradyard_queue_oldest_wait_seconds", "How long the oldest waits", labels=("queue",))
    paused = GaugeMetricFamily("gradyard_queue_paused", "1 where the queue is paused", labels=("queue",))
    for each in queries.depths_of_all(connection):
        depth.add_metric((each.queue,), each.depth)
        oldest.add_metric((each.queue,), each.oldest_wait_seconds)
    for queue in WORKER_QUEUES:
        paused.add_metric((queue,), float(held.of_queue(queue) is not None))
    yield from (depth, oldest, paused)


def _webhooks(connection: Connection) -> Iterator[Metric]:
    count, oldest = waiting_figures(connection)
    waiting = GaugeMetricFamily("gradyard_webhook_messages_waiting", "Messages for webhooks that are switched on")
    waiting.add_metric((), count)
    text = "How long the oldest message waits; 0: none does"
    age = GaugeMetricFamily("gradyard_webhook_oldest_waiting_seconds", text)
    age.add_metric((), oldest)
    yield from (waiting, age)


def _stored(connection: Connection) -> Metric:
    text, labels = "What jobs store, added up about every minute", ("project", "kind")
    stored = GaugeMetricFamily("gradyard_stored_bytes", text, labels=labels)
    for row in queries.storage_by_project(connection, None):
        if row.measured_at is not None:
            for kind in StoredKind:
                stored.add_metric((row.name, kind), getattr(row, f"{kind}_bytes"))
    return stored


def _slots(connection: Connection) -> Iterator[Metric]:
    """Slots of `cpu` and `gpu`: a slot is counted once. Jobs of `any` wait for all of them."""
    for name, text, counts in (
        ("live", "Live slots of the queue; jobs of the queue any may use all of them", queries.live_slots(connection)),
        ("idle", "Slots that could take a job now; see live slots", fleet.idle_slots(connection)),
    ):
        family = GaugeMetricFamily(f"gradyard_queue_{name}_slots", text, labels=("queue",))
        for queue in WORKER_QUEUES:
            family.add_metric((queue,), counts.get(queue, 0))
        yield family


def _workers(seen: list[Any], held: Held) -> Iterator[Metric]:
    labels = (*SLOT_LABELS, "queue", "device", "device_uuid", "pool")
    up = GaugeMetricFamily("gradyard_worker_up", "1 where the worker's lease holds", labels=labels)
    busy = GaugeMetricFamily("gradyard_worker_pack_size", "Members of its pack; 0: it is idle", labels=SLOT_LABELS)
    drained = GaugeMetricFamily("gradyard_worker_drained", "1 where GPU, slot or host is drained", labels=SLOT_LABELS)
    gauges = {name: GaugeMetricFamily(f"gradyard_{name}", text, labels=SLOT_LABELS)
              for of_queue in (GAUGES, GPU_GAUGES, CPU_GAUGES) for name, text, _ in of_queue.values()}  # fmt: skip
    # A slot that was restarted has a dead row and a live one; the live one comes last and counts.
    newest: dict[tuple[str, str], Any] = {(row.host, row.slot): row for row in seen}
    for slot, row in newest.items():
        device = (row.queue, row.device_name, row.device_uuid or "", row.pool or "")
        up.add_metric((*slot, *device), float(row.alive))
        busy.add_metric(slot, row.width or 0)
        drained.add_metric(slot, float(held.drain_of(row) is not None))
        for column, (name, _, factor) in (GAUGES | (GPU_GAUGES if row.queue == Queue.GPU else CPU_GAUGES)).items():
            if row.alive and getattr(row, column) is not None:
                gauges[name].add_metric(slot, getattr(row, column) * factor)
    yield from (up, busy, drained, *gauges.values())
