"""What is done again and again keeps to its share of the time, and what is done seldom never waits."""

import pytest

from service.live.share_of_time import ShareOfTime


def paced(share: ShareOfTime, took: float, between: float, times: int) -> list[float]:
    """The pauses after so many looks, each so many seconds after the pause of the one before."""
    now, pauses = 1000.0, list[float]()
    for _ in range(times):
        now += took
        pauses.append(share.pause_after(took, now))
        now += max(between, pauses[-1])
    return pauses


def test_what_is_done_seldom_never_waits() -> None:
    assert paced(ShareOfTime(0.1, advance_seconds=0.02), took=0.001, between=0.01, times=1000) == [0.0] * 1000


def test_what_is_done_all_the_time_takes_its_share() -> None:
    took, times = 0.001, 10_000
    pauses = paced(ShareOfTime(0.1, advance_seconds=0.02), took, between=0.0, times=times)
    assert pauses[:15] == [0.0] * 15  # in advance
    assert took * times / (took * times + sum(pauses)) == pytest.approx(0.1, rel=0.01)


def test_one_long_look_is_followed_by_a_pause_and_then_paid() -> None:
    share = ShareOfTime(0.1, advance_seconds=0.02)
    assert share.pause_after(0.05, 1000.0) == pytest.approx(0.3)
    assert share.pause_after(0.0, 1000.3) == pytest.approx(0.0)
