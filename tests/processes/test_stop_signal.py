"""A process that is asked to stop many times at once stops."""

import signal
import subprocess
import sys
import time

from gradyard.processes.stop_signal import StopSignal

LOOP = """
from gradyard.processes.stop_signal import StopSignal
stop = StopSignal()
print("ready", flush=True)
while not stop.wait(0.0001):
    pass
assert stop.came()
"""


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
        assert [loop.wait(timeout=20) in (0, -signal.SIGTERM) for loop in loops] == [True] * 8
    finally:
        for loop in loops:
            loop.kill()
            loop.communicate()


def test_a_wait_without_a_signal_takes_its_time() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        stop, began = StopSignal(), time.monotonic()
        assert not stop.wait(0.1)
        assert time.monotonic() - began >= 0.1
        signal.raise_signal(signal.SIGTERM)
        assert stop.wait(60.0)
        assert stop.came()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
