"""What the table of counters holds, as metrics: counts of each slot, and histograms of all slots or processes together.

Counters of slots are shown for those that were seen lately. A slot that comes back goes on where its count stood.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy import Row

from gradyard.jobs.fleet import FleetCounter, SlotAddress
from gradyard.store import fleet

OF_SLOTS = {
    FleetCounter.JOBS_FINISHED: ("worker_jobs_finished", "Jobs that trained to their end, or diverged, on the slot"),
    FleetCounter.FENCED_WRITES: ("fenced_writes", "Writes of workers that came too late and changed nothing"),
    FleetCounter.RUNNER_DEATHS: ("runner_deaths", "Runners that died in training"),
    FleetCounter.MESSAGES_DROPPED: ("messages_dropped", "Messages of the broker that were no bell, and were dropped"),
}
OF_ALL = {
    FleetCounter.LEASES_LOST: ("leases_lost", "Jobs taken from workers that did not renew their lease"),
    FleetCounter.JOBS_EXPIRED: ("jobs_expired", "Jobs that the rules of their projects let go"),
    FleetCounter.UNAUTHORIZED_REQUESTS: ("unauthorized_requests", "Requests without a valid key"),
    FleetCounter.WEBHOOKS_DELIVERED: ("webhooks_delivered", "Messages of webhooks that were accepted"),
    FleetCounter.WEBHOOK_TRIES_FAILED: ("webhook_tries_failed", "Tries of messages of webhooks that were not accepted"),
}
WAITED = "From the submission of a job to its first claim"
TRAINED = "Training time of jobs that trained to their end or diverged, all attempts together"
ANSWERED = "From the arrival of a request to the begin of its answer, the time of ?wait= included"


def families(rows: Sequence[Row[Any]], seen: Sequence[Row[Any]]) -> Iterator[Metric]:
    """All metrics of these counters. seen: the workers that were seen lately."""
    totals: Counter[str] = Counter()
    by_name: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        totals[row.name] += row.total
        by_name[row.name][row.counted_by] = row.total
    yield from _of_slots(by_name, {str(SlotAddress(row.slot, row.host)) for row in seen})
    for counter, (name, text) in OF_ALL.items():
        family = CounterMetricFamily(f"gradyard_{name}", text)
        family.add_metric((), totals[counter])
        yield family
    yield _pack_sizes(totals)
    yield _histogram("gradyard_job_waiting_seconds", WAITED, fleet.WAITING, totals)
    yield _histogram("gradyard_job_training_seconds", TRAINED, fleet.TRAINING, totals)
    yield _requests(by_name)


def _of_slots(by_name: dict[str, dict[str, int]], slots: set[str]) -> Iterator[Metric]:
    for counter, (name, text) in OF_SLOTS.items():
        family = CounterMetricFamily(f"gradyard_{name}", text, labels=("counted_by",))
        for slot, total in by_name[counter].items():
            if slot in slots:
                family.add_metric((slot,), total)
        yield family


def _pack_sizes(totals: Counter[str]) -> Metric:
    family = HistogramMetricFamily("gradyard_pack_size", "Members of the packs that were claimed", labels=())
    buckets, count = [], 0
    for size in fleet.PACK_SIZES:
        count += totals[f"packs_of_{size}"]
        buckets.append((str(float(size)), float(count)))
    count += totals["packs_of_more"]
    family.add_metric((), [*buckets, ("+Inf", float(count))], totals[FleetCounter.PACK_MEMBERS])
    return family


def _histogram(name: str, text: str, histogram: fleet.Histogram, totals: Counter[str]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=())
    family.add_metric((), *histogram.read(totals))
    return family


def _requests(by_name: dict[str, dict[str, int]]) -> Metric:
    """The histogram of each kind of requests, which is `METHOD ROUTE STATUS`."""
    family = HistogramMetricFamily("gradyard_request_seconds", ANSWERED, labels=("method", "route", "status"))
    kinds: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, counts in by_name.items():
        if name.startswith(f"{fleet.REQUESTS.name}_"):
            for kind, total in counts.items():
                kinds[kind][name] = total
    for kind, totals in sorted(kinds.items()):
        family.add_metric(kind.split(" "), *fleet.REQUESTS.read(totals))
    return family
