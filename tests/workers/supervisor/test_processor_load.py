"""What the processes of a CPU slot use of the machine."""

import subprocess
import sys

from tests.stack.until import until
from workers.supervisor.processor_load import ProcessorLoad

ALWAYS_AT_WORK = "print('begun', flush=True)\nwhile True: pass"


def test_a_process_at_work_uses_a_core_and_one_that_waits_none() -> None:
    pids: list[int | None] = [None]
    load = ProcessorLoad(lambda: tuple(pids))
    with subprocess.Popen([sys.executable, "-c", ALWAYS_AT_WORK], stdout=subprocess.PIPE) as at_work:
        assert at_work.stdout is not None
        at_work.stdout.readline()
        pids[0] = at_work.pid
        first = load.health()
        assert first.utilization_percent is None, "there is nothing to compare the first reading with"
        assert (first.memory_used_mib or 0) >= 1
        until(lambda: (load.health().utilization_percent or 0.0) > 5.0)
        at_work.kill()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as waits:
        pids[0] = waits.pid
        load.health()
        until(lambda: load.health().utilization_percent == 0.0)
        waits.kill()


def test_a_process_that_ended_uses_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    load = ProcessorLoad(lambda: (ended.pid, None))
    assert load.health().memory_used_mib == 0
