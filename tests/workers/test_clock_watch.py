"""Leases are judged only by a clock that was seen to go on evenly for the length of one."""

import pytest

from workers.clock_watch import ClockWatch

LEASE = 15.0
BEGIN = 1_800_000_000.0


def watched(seconds: int) -> tuple[ClockWatch, float]:
    """A watch that has seen an even clock for so many rounds of a second, and the clock's last moment."""
    watch = ClockWatch(LEASE, 1.0)
    for passed in range(seconds + 1):
        watch.is_even(BEGIN + passed)
    return watch, BEGIN + seconds


def test_a_new_process_leaves_leases_alone_for_as_long_as_one_lasts() -> None:
    watch, moment = watched(14)
    assert not watch.is_even(moment + 0.9)
    assert watch.is_even(moment + 1.0)


@pytest.mark.parametrize("leap", [5.1, 60.0, 86_400.0, -1.1, -3600.0])
def test_after_a_leap_of_the_clock_live_workers_get_a_lease_to_renew_theirs(leap: float) -> None:
    watch, moment = watched(60)
    for passed in range(15):
        assert not watch.is_even(moment + leap + passed)
    assert watch.is_even(moment + leap + 15)


@pytest.mark.parametrize("pause", [0.0, 1.0, 4.9, -0.5])
def test_a_slow_round_and_an_adjusted_clock_are_no_leap(pause: float) -> None:
    watch, moment = watched(60)
    assert watch.is_even(moment + pause)


def test_a_round_that_failed_begins_the_watch_anew() -> None:
    watch, moment = watched(60)
    watch.failed()
    assert not watch.is_even(moment + 1)
    assert not any(watch.is_even(moment + passed) for passed in range(2, 16))
    assert watch.is_even(moment + 16)
