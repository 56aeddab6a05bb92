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


def test_counts_that_could_not_be_reported_are_in_the_next_report() -> None:
    throughput = Throughput()
    throughput.count(FleetCounter.FENCED_WRITES, 2)
    unreported = throughput.take_counts()
    throughput.count(FleetCounter.FENCED_WRITES)
    throughput.give_back(unreported)
    assert throughput.take_counts() == Counter(fenced_writes=3)
    assert throughput.take_counts() == Counter()
