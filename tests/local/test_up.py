"""`gradyard up` and `gradyard demo` as a person runs them: real processes, real signals, nothing left behind."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gradyard import Client
from gradyard.local.log_rotation import LARGEST_BYTES
from tests.local.up_command import START_SECONDS, Command, Ready, Start, nothing_left_after, up, url_of
from tests.stack.service_processes import BAD_TRAINERS, slow_spec
from tests.stack.until import until

pytestmark = pytest.mark.stack


def _serves_until_ctrl_c(command: Command, state: Path) -> None:
    """Train a job on the stack as soon as it says ready, and stop it all."""
    url = url_of(command)
    assert json.loads((state / "endpoint.json").read_text()) == {"url": url, "pid": command.process.pid}
    with Client(url) as client:
        job = client.wait(client.submit(stage="numpy", steps=50).id, timeout=300)
        assert job.succeeded
        assert len(client.losses(job.id)) == 50
    command.look_around()
    command.process.send_signal(signal.SIGINT)
    assert command.ends() == 130
    assert command.left_behind() == []
    assert not (state / "endpoint.json").exists()


def test_a_second_one_names_the_first(start: Start, ready: Ready) -> None:
    second = up(start, **ready.settings)
    assert second.ends() == 1
    [line] = second.lines
    assert f"{ready.state} is in use by process {ready.command.process.pid}, at {ready.url}" in line
    with Client(ready.url) as client:
        assert client.readiness().status == "ready"


def test_after_a_kill_nothing_runs_and_the_next_one_serves_until_ctrl_c(start: Start, state: Path) -> None:
    resting = {"PYTHONPATH": os.pathsep.join(filter(None, (f"{BAD_TRAINERS}", os.environ.get("PYTHONPATH"))))}
    first = up(start, **resting)
    with Client(url_of(first)) as client:
        job = client.submit(slow_spec(600.0))
        until(lambda: client.job(job.id).state == "running")
    first.look_around()
    first.process.kill()
    first.ends()
    second = up(start, **resting)
    with Client(url_of(second)) as client:
        assert nothing_left_after(first)
        client.cancel(job.id)
    _serves_until_ctrl_c(second, state)


def test_what_dies_is_started_again(ready: Ready) -> None:
    command = ready.command
    command.descendant("valkey-server").kill()
    command.says("redis ended with status 137; restart in")
    command.descendant("gunicorn").kill()
    command.says("api ended with status 137; restart in")
    with Client(ready.url) as client:
        assert client.wait(client.submit(stage="numpy", steps=5).id, timeout=300).succeeded


def test_a_long_log_is_set_aside_while_its_process_writes_on(ready: Ready) -> None:
    with Client(ready.url) as client:
        log = ready.state / "logs" / "api.log"
        with log.open("a") as file:
            file.write("an old line\n" * (LARGEST_BYTES // 10))
        until(lambda: log.stat().st_size < LARGEST_BYTES)
        assert (ready.state / "logs" / "api.log.1").stat().st_size > LARGEST_BYTES
        size = log.stat().st_size
        job = client.submit(stage="numpy", steps=5)
        until(lambda: log.stat().st_size > size)
        assert client.wait(job, timeout=300).succeeded
    assert "\0" not in log.read_text()  # appended at its end, not where the long one ended


def test_the_api_alone_accepts_jobs(start: Start) -> None:
    command = up(start, "--api-only")
    with Client(url_of(command)) as client:
        assert client.submit(stage="numpy").state == "queued"
        assert client.readiness().workers == {"cpu": 0, "gpu": 0}


def test_a_signal_while_it_starts_stops_it(start: Start) -> None:
    command = up(start)
    give_up_at = time.monotonic() + START_SECONDS
    while not command.look_around() and time.monotonic() < give_up_at:
        time.sleep(0.01)
    command.process.send_signal(signal.SIGTERM)
    assert command.ends() == 0
    assert nothing_left_after(command)
    assert not any(line.startswith("ready") for line in command.lines)


def test_a_taken_port_is_said_in_one_line(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = start("up", "--port", port)
        assert command.ends() == 1
    assert command.lines == [
        f"gradyard: port {port} of 127.0.0.1 cannot be used (address already in use); "
        "choose another with --port, 0 for any free one"
    ]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL: Could not parse"),
        (
            {"DATABASE_URL": "postgresql://u:hidden@127.0.0.1:1/x"},
            r"postgresql://u:\*\*\*@127.0.0.1:1/x: the database does",
        ),
        ({"DATABASE_URL": "sqlite:////nowhere/at/all.db"}, "/nowhere/at/all.db: there is no folder /nowhere/at$"),
        ({"REDIS_URL": "redis://:hidden@127.0.0.1:1/0"}, "REDIS_URL: .*; start that Redis"),
        ({"GRADYARD_HOST": "0.0.0.0"}, "set GRADYARD_ADMIN_KEY"),
        ({"GRADYARD_STATE_DIR": "/dev/null/state"}, "/dev/null/state cannot be written"),
    ],
)
def test_wrong_surroundings_are_said_in_one_line(start: Start, environment: dict[str, str], said: str) -> None:
    command = up(start, **environment)
    assert command.ends() == 1
    [line] = command.lines
    assert re.search(said, line)
    assert "hidden" not in line
    assert command.left_behind() == []


def test_workers_that_cannot_start_are_said_with_their_last_words(start: Start) -> None:
    command = start("up", "--port", "0", "--cpu-slots", "0", "--gpus", "none")
    assert command.ends() == 1
    assert command.lines[0].startswith("gradyard: workers ended at once, with status 2; its log, ")
    assert any(line.startswith("  | ") for line in command.lines[1:])
    assert nothing_left_after(command)


def test_the_demo_trains_all_eight_on_a_stack_of_its_own_and_leaves_nothing(start: Start, state: Path) -> None:
    """By a link to its folder, whose name has signs of URLs."""
    (state / "real ?").mkdir()
    (state / "link").symlink_to(state / "real ?")
    command = start("demo", "--seed", "3", "--state-dir", str(state / "link"))
    command.says("The database now holds 8 jobs")
    assert command.ends() == 0
    said = "\n".join(command.lines)
    for stage in ("numpy", "tensor", "autograd", "function", "nn", "optim", "module", "dynamic"):
        assert re.search(rf"^ *{stage} +succeeded .*y = ", said, re.MULTILINE)
        assert f"{stage}: loss" in said
    assert re.search(rf"gradyard jobs --state-dir '?{re.escape(str(state))}/", said)
    assert (state / "real ?" / "gradyard.db").is_file()
    assert "\x1b" not in said
    assert command.left_behind() == []


@contextmanager
def pausing(client: Client, queue: str) -> Iterator[None]:
    """During the block no worker of the queue claims a job."""
    client.pause(queue)
    try:
        yield
    finally:
        client.resume(queue)


def test_the_demo_uses_the_stack_that_is_up_and_says_what_ctrl_c_left(start: Start, ready: Ready) -> None:
    with Client(ready.url) as client, pausing(client, "cpu"):  # else they might all be done before the Ctrl-C
        command = start("demo", **ready.settings)
        command.says(f"using the stack at {ready.url}")
        command.says("jobs submitted")
        command.process.send_signal(signal.SIGINT)
        assert command.ends() == 130
        assert re.search(r"interrupted; \d jobs? (is|are) not finished and not cancelled", command.lines[-1])
        assert all(job.state != "cancelled" for job in client.jobs())
