"""The watcher asks often while waits are young, and what it looks at takes a tenth of the time at most."""

import pytest

from service.live.pauses import ADVANCE_SECONDS, SHARE_OF_TIME, Pauses
from service.live.waits import AT_FIRST_SECONDS, OFTEN_SECONDS, SELDOM_SECONDS, YOUNG_SECONDS

NOW = 1000.0


def pauses_of(made: Pauses, *, asked: float, looked: float, rounds: int) -> list[float]:
    """The pauses of so many rounds, each begun when the pause of the one before has ended."""
    now, pauses = NOW, list[float]()
    for _ in range(rounds):
        now += asked + looked
        pauses.append(made.after(now, asked=asked, looked=looked))
        now += pauses[-1]
    return pauses


def test_questions_come_more_often_while_a_wait_is_young() -> None:
    made = Pauses()
    assert made.after(NOW, asked=0.0, looked=0.0) == OFTEN_SECONDS
    made.wait_begins(NOW)
    assert made.after(NOW + YOUNG_SECONDS / 2, asked=0.0, looked=0.0) == AT_FIRST_SECONDS
    assert made.after(NOW + YOUNG_SECONDS, asked=0.0, looked=0.0) == OFTEN_SECONDS


def test_a_look_at_one_commit_does_not_delay_the_next_look() -> None:
    made = Pauses()
    made.wait_begins(NOW)
    assert made.after(NOW, asked=0.0, looked=ADVANCE_SECONDS / 10) == AT_FIRST_SECONDS


def test_looks_at_commits_that_come_all_the_time_take_their_share() -> None:
    looked, rounds = 0.001, 10_000
    pauses = pauses_of(Pauses(), asked=0.0, looked=looked, rounds=rounds)
    assert looked * rounds / (looked * rounds + sum(pauses)) == pytest.approx(SHARE_OF_TIME, rel=0.01)


def test_slow_questions_take_half_of_the_time_and_nothing_of_the_looks() -> None:
    made = Pauses()
    assert pauses_of(made, asked=0.004, looked=0.0, rounds=1000) == [0.004] * 1000
    assert made.after(NOW + 8.0, asked=0.004, looked=ADVANCE_SECONDS / 10) == 0.004


def test_no_pause_is_longer_than_the_seldom_one_however_long_a_look_took() -> None:
    made = Pauses()
    assert made.after(NOW, asked=3.0, looked=60.0) == SELDOM_SECONDS
    assert made.after(NOW + 2 * SELDOM_SECONDS, asked=0.0, looked=0.0) == OFTEN_SECONDS  # it is not paid for later
