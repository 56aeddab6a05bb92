"""The rates and counts that a worker reports."""

from collections import Counter

from gradyard.jobs.fleet import FleetCounter
from workers.supervisor.throughput import Throughput


def test_rates_are_of_the_last_seconds_or_of_the_life_of_a_younger_worker() -> None:
    now = 100.0
    throughput = Throughput(lambda: now)
    now = 104.0
    throughput.trained(1000)
    throughput.finished(8)
    assert (throughput.steps_per_second(), throughput.jobs_per_second()) == (250.0, 2.0)
    now = 120.0
    assert (throughput.steps_per_second(), throughput.jobs_per_second()) == (0.0, 0.4)
    now = 164.5
    assert throughput.jobs_per_second() == 0.0


def test_a_report_stays_the_same_until_the_database_has_it() -> None:
    throughput = Throughput()
    throughput.count(FleetCounter.FENCED_WRITES, 2)
    first = throughput.report()
    throughput.count(FleetCounter.FENCED_WRITES)
    assert throughput.report() == first == (1, Counter(fenced_writes=2))
    throughput.reported()
    assert throughput.report() == (2, Counter(fenced_writes=1))
    throughput.reported()
    assert throughput.report() == (3, Counter())
