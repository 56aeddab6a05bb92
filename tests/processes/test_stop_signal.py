"""A process that gets many stop signals at once stops; outside of `with` the earlier handlers are back."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from gradyard.processes.stop_signal import StopSignal

LOOP = """
from gradyard.processes.stop_signal import StopSignal
stop = StopSignal()
print("ready", flush=True)
while not stop.wait(0.0001):
    pass
assert stop.requested()
"""
IGNORES_SIGHUP = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from gradyard.processes.stop_signal import StopSignal
stop = StopSignal()
signal.raise_signal(signal.SIGHUP)
assert not stop.requested()
signal.raise_signal(signal.SIGTERM)
assert stop.requested()
"""


@pytest.fixture(autouse=True)
def _not_under_nohup() -> Iterator[None]:
    """A SIGHUP that `nohup make test` ignores is heard here all the same."""
    earlier = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, earlier)


def test_signals_that_interrupt_one_another_end_the_loop_and_do_not_hang_it() -> None:
    loops = [subprocess.Popen([sys.executable, "-c", LOOP], stdout=subprocess.PIPE) for _ in range(8)]
    try:
        for loop in loops:
            assert loop.stdout is not None
            assert loop.stdout.readline() == b"ready\n"
        for _ in range(50):
            for loop in loops:
                if loop.poll() is None:
                    loop.send_signal(signal.SIGTERM)
        assert [loop.wait(timeout=120) in (0, -signal.SIGTERM) for loop in loops] == [True] * 8
    finally:
        for loop in loops:
            loop.kill()
            loop.communicate()


def test_a_wait_without_a_signal_takes_its_time_and_a_signal_ends_it() -> None:
    with StopSignal() as stop:
        began = time.monotonic()
        assert not stop.wait(0.1)
        assert time.monotonic() - began >= 0.1
        signal.raise_signal(signal.SIGTERM)
        assert stop.wait(60.0)
        assert stop.requested()
        assert not stop.by_ctrl_c()


def test_a_second_signal_asks_for_hurry_and_ctrl_c_is_known_by_its_number() -> None:
    with StopSignal() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.by_ctrl_c()
        assert not stop.in_a_hurry()
        signal.raise_signal(signal.SIGHUP)
        assert stop.in_a_hurry()


def test_the_handlers_of_before_are_back_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    with StopSignal():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == before


def test_a_process_under_nohup_survives_its_terminal() -> None:
    subprocess.run([sys.executable, "-c", IGNORES_SIGHUP], check=True)
