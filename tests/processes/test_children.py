"""Children end with us, by our order, and say how they ended."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gradyard.processes import children
from gradyard.processes.children import Child, stop_in_order
from tests.processes.processes_for_tests import IGNORES_SIGTERM, WAITS, becomes_true, pid_in, python, runs

Start = Callable[..., Child]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Child] = []

    def start_one(code: str, *arguments: object, name: str = "child", log_path: Path | None = None) -> Child:
        started.append(Child(name, python(code, *arguments), log_path=log_path))
        started[-1].start()
        return started[-1]

    yield start_one
    for child in started:
        child.kill()


def test_a_child_says_how_it_ended(start: Start) -> None:
    child = start("raise SystemExit(5)")
    assert child.wait(120)
    assert child.returncode() == 5


def test_a_running_child_has_no_status_and_cannot_be_started_twice(start: Start, tmp_path: Path) -> None:
    child = start(WAITS, tmp_path / "pid")
    assert child.returncode() is None
    assert not child.wait(0.01)
    with pytest.raises(RuntimeError, match="is already running"):
        child.start()


def test_a_child_that_has_ended_can_be_started_again(start: Start) -> None:
    child = start("raise SystemExit(5)")
    child.wait(120)
    child.start()
    assert child.wait(120)
    assert child.returncode() == 5


def test_a_child_reads_its_input_anew_at_each_start(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("7")
    child = Child("child", python("raise SystemExit(int(input()))"), input_path=tmp_path / "input")
    for _ in range(2):
        child.start()
        assert child.wait(120)
        assert child.returncode() == 7


def test_a_child_never_started_has_nothing_to_stop() -> None:
    child = Child("child", ["true"])
    child.terminate()
    child.kill()
    assert child.wait(0)
    assert child.returncode() is None
    assert child.pid is None


def test_terminate_asks_and_kill_does_not(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "KILL_SECONDS", 60.0)
    child = start(IGNORES_SIGTERM, tmp_path / "pid")
    pid_in(tmp_path / "pid")
    child.terminate()
    assert not child.wait(0.2)
    child.kill()
    assert child.returncode() == 128 + 9


def test_the_log_is_appended_to_and_its_last_lines_are_at_hand(start: Start, tmp_path: Path) -> None:
    log_path = tmp_path / "logs" / "child.log"
    for word in ("once", "twice"):
        child = start(f"import sys; print('{word}', flush=True); print('oops', file=sys.stderr)", log_path=log_path)
        assert child.wait(120)
    assert log_path.read_text() == "once\noops\ntwice\noops\n"
    assert child.tail(3) == ["oops", "twice", "oops"]
    assert Child("child", ["true"]).tail(3) == []


def test_a_child_outlives_its_siblings(start: Start, tmp_path: Path) -> None:
    # a write end inherited by the second would keep the first alive; here it would keep it from ending
    first = start(WAITS, tmp_path / "first")
    second = start(WAITS, tmp_path / "second")
    second_pid = pid_in(tmp_path / "second")
    pid_in(tmp_path / "first")
    first._close_lifeline()  # what the kernel does when we die
    assert first.wait(120)
    assert runs(second_pid)
    assert second.returncode() is None


PARENT = """
import sys, time
from gradyard.processes.children import Child
for number in (1, 2):
    Child(f"child {number}", [sys.executable, "-S", "-c", sys.argv[1], f"{sys.argv[2]}-{number}"]).start()
time.sleep(600)
"""


@pytest.mark.parametrize("code", [WAITS, IGNORES_SIGTERM], ids=["obedient", "ignores SIGTERM"])
def test_nothing_outlives_a_kill_of_the_parent_by_ten_seconds(tmp_path: Path, code: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, code, str(tmp_path / "pid")])
    try:
        pids = [pid_in(tmp_path / f"pid-{number}") for number in (1, 2)]
    finally:
        parent.kill()
        parent.wait()
    assert becomes_true(lambda: not any(map(runs, pids)), 60)


def test_children_are_stopped_in_the_order_given(start: Start, tmp_path: Path) -> None:
    head = "import signal, sys, time\ndef end(*_):\n "
    slow = head + "time.sleep(0.3)\n open(sys.argv[1], 'a').write('slow ')\n sys.exit()\n"
    fast = head + "open(sys.argv[1], 'a').write('fast ')\n sys.exit()\n"
    rest = "signal.signal(signal.SIGTERM, end)\nopen(sys.argv[2], 'w').write('1')\ntime.sleep(600)"
    both = [
        start(slow + rest, tmp_path / "order", tmp_path / "a"),
        start(fast + rest, tmp_path / "order", tmp_path / "b"),
    ]
    pid_in(tmp_path / "a")
    pid_in(tmp_path / "b")
    stop_in_order(both, grace_seconds=120)
    assert (tmp_path / "order").read_text() == "slow fast "
    assert [child.returncode() for child in both] == [0, 0]


def test_children_that_ignore_sigterm_are_killed_after_the_grace_and_at_once_in_a_hurry(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "KILL_SECONDS", 60.0)
    patient, hurried = start(IGNORES_SIGTERM, tmp_path / "a"), start(IGNORES_SIGTERM, tmp_path / "b")
    pid_in(tmp_path / "a")
    pid_in(tmp_path / "b")
    stop_in_order([patient], grace_seconds=0.3)
    began = time.monotonic()
    stop_in_order([hurried], grace_seconds=600, hurry=lambda: True)
    assert time.monotonic() - began < 60
    assert [patient.returncode(), hurried.returncode()] == [128 + 9, 128 + 9]
