"""The processes of a stack: which of them are given a key, and what one of them can learn of the others."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gradyard import Client
from tests.local.up_command import Command, environment_without_settings, url_of
from tests.processes.processes_for_tests import without_reading_others
from tests.stack.until import until

pytestmark = pytest.mark.stack

KEYS = {"GRADYARD_ADMIN_KEY": "canary-of-the-administrator", "GRADYARD_KEY": "canary-of-a-client"}
SECRETS = ("GRADYARD_ADMIN_KEY=", "GRADYARD_KEY=", "DATABASE_URL=", "REDIS_URL=")
# As a runner would: prints what it reads of each process.
READS = """
import json, sys
def read(pid):
    try:
        return open(f"/proc/{pid}/environ").read()
    except OSError:
        return ""
print(json.dumps({pid: read(pid) for pid in sys.argv[1:]}))
"""


# Begins a command without root's rights to read others. Of two processes, the one with more rights is not readable.
BEGINS = """
import os, sys
from tests.processes.processes_for_tests import without_reading_others
without_reading_others()
os.execv(sys.executable, [sys.executable, "-m", "gradyard", *sys.argv[1:]])
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Command]:
    """A stack with a key, whose worker has trained a job: each of its processes runs. No test changes it."""
    state = Path(tempfile.mkdtemp(prefix="gradyard-"))
    line = [sys.executable, "-c", BEGINS, "up", "--port", "0", "--cpu-slots", "1", "--gpus", "none"]
    where = {"GRADYARD_STATE_DIR": str(state), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = Command(line, environment_without_settings() | KEYS | where)
    try:
        with Client(url_of(command), KEYS["GRADYARD_ADMIN_KEY"]) as client:
            assert client.wait(client.submit(stage="numpy", steps=5).id, timeout=300).succeeded
        yield command
    finally:
        command.kill()
        shutil.rmtree(state)


def lines_of(command: Command) -> dict[int, str]:
    """The command line of each of its processes, without the zygotes that are about to exec."""
    return {each.pid: " ".join(each.cmdline()) for each in command.look_around()}


@pytest.mark.skipif(os.geteuid() != 0, reason="what is private is read by root alone")
def test_a_key_is_given_to_the_api_alone(stack: Command) -> None:
    lines = lines_of(stack)
    told = {line for pid, line in lines.items() if "canary" in json.dumps(psutil.Process(pid).environ())}
    assert told
    assert [line for line in told if "gunicorn" not in line] == []
    redis = {name for pid, line in lines.items() if "valkey" in line for name in psutil.Process(pid).environ()}
    assert not redis & {"DATABASE_URL", "REDIS_URL"}


def test_a_runner_reads_no_secret_of_any_process(stack: Command) -> None:
    pids = [stack.process.pid, *lines_of(stack)]

    def readable() -> list[str]:
        reader = [sys.executable, "-S", "-c", READS, *map(str, pids)]
        read = json.loads(subprocess.check_output(reader, preexec_fn=without_reading_others))
        lines = lines_of(stack) | {stack.process.pid: "gradyard up"}
        return sorted({lines.get(int(pid), "") for pid, text in read.items() if any(each in text for each in SECRETS)})

    until(lambda: readable() == [])
