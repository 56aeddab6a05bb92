"""How fast a worker says that it is."""

from collections import Counter

from workers.supervisor.throughput import Pace


def test_rates_are_of_the_last_seconds_and_of_a_young_worker_of_its_life() -> None:
    now = 100.0
    pace = Pace(lambda: now)
    now = 104.0
    pace.trained(1000)
    pace.ended(8)
    assert (pace.steps_per_second(), pace.jobs_per_second()) == (250.0, 2.0)
    now = 120.0
    assert (pace.steps_per_second(), pace.jobs_per_second()) == (0.0, 0.4)
    now = 164.5
    assert pace.jobs_per_second() == 0.0


def test_what_could_not_be_told_is_told_the_next_time() -> None:
    pace = Pace()
    pace.count("fenced_writes", 2)
    untold = pace.take_counts()
    pace.count("fenced_writes")
    pace.give_back(untold)
    assert pace.take_counts() == Counter(fenced_writes=3)
    assert pace.take_counts() == Counter()
