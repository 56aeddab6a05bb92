"""What tells two machines of one name apart."""

import shutil
import subprocess
import sys

import pytest

from workers.pool.machine import machine_identity

TELL = [sys.executable, "-c", "from workers.pool.machine import machine_identity; print(machine_identity())"]


def told_by(*before: str) -> str:
    return subprocess.run([*before, *TELL], check=True, capture_output=True, text=True).stdout.strip()


def test_all_processes_of_a_machine_tell_the_same() -> None:
    assert told_by() == told_by() == machine_identity()


def test_a_container_tells_another_than_its_host_though_it_has_its_name() -> None:
    inside = ["unshare", "--pid", "--fork"]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("no PID namespace can be made here")
    assert told_by(*inside, "--mount-proc") != machine_identity()
