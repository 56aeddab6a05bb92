"""How fast a worker says that it is."""

from collections import Counter

from workers.supervisor.throughput import Throughput


def test_rates_are_of_the_last_seconds_and_of_a_young_worker_of_its_life() -> None:
    now = 100.0
    throughput = Throughput(lambda: now)
    now = 104.0
    throughput.trained(1000)
    throughput.ended(8)
    assert (throughput.steps_per_second(), throughput.jobs_per_second()) == (250.0, 2.0)
    now = 120.0
    assert (throughput.steps_per_second(), throughput.jobs_per_second()) == (0.0, 0.4)
    now = 164.5
    assert throughput.jobs_per_second() == 0.0


def test_what_could_not_be_told_is_told_the_next_time() -> None:
    throughput = Throughput()
    throughput.count("fenced_writes", 2)
    untold = throughput.take_counts()
    throughput.count("fenced_writes")
    throughput.give_back(untold)
    assert throughput.take_counts() == Counter(fenced_writes=3)
    assert throughput.take_counts() == Counter()
