"""When a runner is killed because its supervisor has waited for too long."""

import time

import pytest

from workers.supervisor.runners import timeouts as runner_timeouts
from workers.supervisor.runners.timeouts import RunnerTimeouts


@pytest.fixture(autouse=True)
def _shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"STUCK_SECONDS": 20.0, "FIRST_STOP_SECONDS": 0.1, "STOP_SECONDS": 60.0, "PREPARE_SECONDS": 60.0}
    for name, seconds in limits.items():
        monkeypatch.setattr(runner_timeouts, name, seconds)
    monkeypatch.setattr(runner_timeouts, "DROP_SECONDS", {"cpu": 0.1, "cuda": 60.0})


def _last_heard(timeouts: RunnerTimeouts, seconds_ago: float) -> None:
    timeouts._heard_at = time.monotonic() - seconds_ago


def test_a_runner_that_sends_nothing_is_stuck_and_one_that_sends_is_not() -> None:
    timeouts = RunnerTimeouts("cpu")
    _last_heard(timeouts, 30.0)
    assert timeouts.kill_reason() == "the runner sent nothing for 20 s"
    timeouts.heard()
    assert timeouts.kill_reason() is None


def test_long_segments_and_compilers_are_given_their_time() -> None:
    slow, compiles = RunnerTimeouts("cpu"), RunnerTimeouts("cpu")
    slow._began_at -= 100.0
    slow.segment_took(2.0)
    compiles.preparing()
    for seconds, over in ((30.0, False), (70.0, True)):
        _last_heard(slow, seconds)
        _last_heard(compiles, seconds)
        assert [timeouts.kill_reason() is not None for timeouts in (slow, compiles)] == [over, over]


def test_a_segment_that_claims_to_be_longer_than_its_attempt_gives_no_time() -> None:
    timeouts = RunnerTimeouts("cpu")
    timeouts.segment_took(1e6)
    _last_heard(timeouts, 30.0)
    assert timeouts.kill_reason() == "the runner sent nothing for 20 s"


def test_a_worker_that_slept_waits_anew() -> None:
    timeouts = RunnerTimeouts("cpu")
    _last_heard(timeouts, 30.0)
    timeouts._looked_at -= 30.0  # as if this process had been frozen
    timeouts.look()
    assert timeouts.kill_reason() is None


def test_a_worker_that_slept_since_it_looked_waits_anew() -> None:
    timeouts = RunnerTimeouts("cpu")
    _last_heard(timeouts, 30.0)
    timeouts._looked_at -= 30.0
    assert timeouts.kill_reason() is None


def test_a_gpu_has_longer_to_drop_its_last_member() -> None:
    both = RunnerTimeouts("cpu"), RunnerTimeouts("cuda")
    for timeouts in both:
        timeouts.emptied()
    time.sleep(0.15)
    assert [timeouts.kill_reason() for timeouts in both] == ["no member of its pack is left", None]


def test_a_runner_that_has_trained_nothing_has_less_time_to_answer_a_stop() -> None:
    timeouts = RunnerTimeouts("cpu")
    assert not timeouts.stop_is_over()
    assert timeouts.stop_requested()
    assert not timeouts.stop_requested()
    time.sleep(0.15)
    assert timeouts.stop_is_over()
    timeouts.segment_took(0.1)
    assert not timeouts.stop_is_over(), "it trains, and has longer to send what it trained"
    timeouts._stop_requested_at = time.monotonic() - 61.0
    assert timeouts.stop_is_over()
