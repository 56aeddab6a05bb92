"""Metrics for Prometheus. All are read from SQL, so that every API process answers the same numbers."""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy import Connection

from gradyard.jobs.fleet import FleetCounter
from gradyard.store import queries
from gradyard.store.database import Database
from gradyard.store.fleet import PACK_SIZES
from service.representation.holds import Held

FRESH_SECONDS = 5.0  # counting a million jobs takes 0.1 s, too long for every scrape
SLOT_LABELS = ("host", "slot")
GAUGES = {
    "steps_per_second": ("worker_steps_per_second", "Steps a second of all members of the worker's pack", 1.0),
    "jobs_per_second": ("worker_jobs_per_second", "Jobs that finished on the worker, in the last minute", 1.0),
    "utilization_percent": ("gpu_utilization_ratio", "Utilization of the worker's GPU", 0.01),
    "temperature_celsius": ("gpu_temperature_celsius", "Temperature of the worker's GPU", 1.0),
    "memory_used_mib": ("gpu_memory_used_bytes", "Memory in use on the worker's GPU", 2.0**20),
    "device_memory_mib": ("gpu_memory_bytes", "Memory of the worker's GPU", 2.0**20),
}
COUNTERS = {
    FleetCounter.JOBS_FINISHED: ("jobs_finished", "Jobs that finished on the worker"),
    FleetCounter.FENCED_WRITES: ("fenced_writes", "Writes of workers that came too late and changed nothing"),
    FleetCounter.LEASES_LOST: ("leases_lost", "Jobs taken from workers that did not renew their lease"),
    FleetCounter.RUNNER_DEATHS: ("runner_deaths", "Runners that died in training"),
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
    held = Held(queries.holds(connection))
    yield _jobs(connection)
    yield from _queues(connection, held)
    yield from _workers(connection, held)
    yield from _counted(connection)


def _jobs(connection: Connection) -> Metric:
    jobs = GaugeMetricFamily("gradyard_jobs", "Jobs by state, stage and reason", labels=("state", "stage", "reason"))
    for state, stage, reason, count in queries.job_counts(connection):
        jobs.add_metric((state, stage, reason or ""), count)
    return jobs


def _queues(connection: Connection, held: Held) -> Iterator[Metric]:
    depth = GaugeMetricFamily("gradyard_queue_depth", "Jobs that wait", labels=("queue",))
    oldest = GaugeMetricFamily("gradyard_queue_oldest_wait_seconds", "How long the oldest waits", labels=("queue",))
    paused = GaugeMetricFamily("gradyard_queue_paused", "1 where the queue is paused", labels=("queue",))
    for each in queries.depths_of_all(connection):
        depth.add_metric((each.queue,), each.depth)
        oldest.add_metric((each.queue,), each.oldest_wait_seconds)
        paused.add_metric((each.queue,), float(held.of_queue(each.queue) is not None))
    yield from (depth, oldest, paused)


def _workers(connection: Connection, held: Held) -> Iterator[Metric]:
    labels = (*SLOT_LABELS, "queue", "device", "device_uuid", "pool")
    up = GaugeMetricFamily("gradyard_worker_up", "1 where the worker's lease holds", labels=labels)
    busy = GaugeMetricFamily("gradyard_worker_pack_size", "Members of its pack; 0: it is idle", labels=SLOT_LABELS)
    drained = GaugeMetricFamily("gradyard_worker_drained", "1 where GPU, slot or host is drained", labels=SLOT_LABELS)
    gauges = {column: GaugeMetricFamily(f"gradyard_{name}", text, labels=SLOT_LABELS)
              for column, (name, text, _) in GAUGES.items()}  # fmt: skip
    # A slot that was restarted has a dead row and a live one; the live one comes last and counts.
    newest: dict[tuple[str, str], Any] = {(row.host, row.slot): row for row in queries.workers_seen(connection)}
    for slot, row in newest.items():
        device = (row.queue, row.device_name, row.device_uuid or "", row.pool or "")
        up.add_metric((*slot, *device), float(row.alive))
        busy.add_metric(slot, row.width or 0)
        drained.add_metric(slot, float(held.drain_of(row) is not None))
        for column, gauge in gauges.items():
            if row.alive and getattr(row, column) is not None:
                gauge.add_metric(slot, getattr(row, column) * GAUGES[column][2])
    yield from (up, busy, drained, *gauges.values())


def _counted(connection: Connection) -> Iterator[Metric]:
    counted = {(row.name, row.counted_by): row.total for row in queries.counters(connection)}
    for key, (name, text) in COUNTERS.items():
        family = CounterMetricFamily(f"gradyard_{name}", text, labels=("counted_by",))
        for (counter, by), number in counted.items():
            if counter == key:
                family.add_metric((by,), number)
        yield family
    yield _pack_sizes(counted)


def _pack_sizes(counted: dict[tuple[str, str], int]) -> Metric:
    family = HistogramMetricFamily("gradyard_pack_size", "Members of the packs that were claimed", labels=())
    buckets, total = [], 0
    for size in PACK_SIZES:
        total += sum(number for (name, _), number in counted.items() if name == f"packs_of_{size}")
        buckets.append((str(float(size)), float(total)))
    total += sum(number for (name, _), number in counted.items() if name == "packs_of_more")
    members = sum(number for (name, _), number in counted.items() if name == FleetCounter.PACK_MEMBERS)
    family.add_metric((), [*buckets, ("+Inf", float(total))], members)
    return family
