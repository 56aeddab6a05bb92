"""When a runner has kept its supervisor waiting for too long."""

import time

import pytest

from workers.supervisor import runner_timeouts
from workers.supervisor.runner_timeouts import RunnerTimeouts


@pytest.fixture(autouse=True)
def _shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("STUCK_SECONDS", 0.2), ("STOP_SECONDS", 0.1), ("PREPARE_SECONDS", 0.6)):
        monkeypatch.setattr(runner_timeouts, name, seconds)
    monkeypatch.setattr(runner_timeouts, "DROP_SECONDS", {"cpu": 0.1, "cuda": 60.0})


def _ago(watch: RunnerTimeouts, seconds: float) -> None:
    watch._heard_at = time.monotonic() - seconds


def test_a_runner_that_says_nothing_is_stuck_and_one_that_speaks_is_not() -> None:
    watch = RunnerTimeouts("cpu")
    _ago(watch, 0.3)
    assert watch.kill_reason() == "the runner was silent for 0 s"
    watch.heard()
    assert watch.kill_reason() is None


def test_long_segments_and_compilers_are_given_their_time() -> None:
    slow, compiles = RunnerTimeouts("cpu"), RunnerTimeouts("cpu")
    slow.segment_seconds, compiles.preparing = 0.02, True
    for seconds, over in ((0.3, False), (0.7, True)):
        _ago(slow, seconds)
        _ago(compiles, seconds)
        assert [watch.kill_reason() is not None for watch in (slow, compiles)] == [over, over]


def test_whoever_slept_does_not_take_it_for_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_timeouts, "ASLEEP_SECONDS", 0.1)
    watch = RunnerTimeouts("cpu")
    time.sleep(0.3)
    watch.look()
    assert watch.kill_reason() is None


def test_a_gpu_has_longer_to_let_go_of_its_last_member() -> None:
    watches = RunnerTimeouts("cpu"), RunnerTimeouts("cuda")
    for watch in watches:
        watch.emptied_at = time.monotonic() - 0.15
    assert [watch.kill_reason() for watch in watches] == ["nobody is left in its pack", None]


def test_a_stop_that_is_not_answered_is_over() -> None:
    watch = RunnerTimeouts("cpu")
    watch.asked_to_stop_at = time.monotonic() - 0.15
    assert watch.kill_reason() == "the worker stops, and its runner did not answer"
