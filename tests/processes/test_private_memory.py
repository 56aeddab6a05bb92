"""A process of the same user cannot read the environment of one that holds secrets."""

import os
import subprocess
import sys

import pytest

from tests.processes.processes_for_tests import without_reading_others

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone tells environments")

# Runs itself again as a child, which reads what the first one was started with.
READS_ITS_PARENT = """
import os, subprocess, sys
{first}
code = "import os; print(open(f'/proc/{{os.getppid()}}/environ').read())"
sys.exit(subprocess.run([sys.executable, "-S", "-c", code]).returncode)
"""
HIDES = "from gradyard.processes.private_memory import keep_memory_private; keep_memory_private()"


def _read_by_a_child(first: str) -> "subprocess.CompletedProcess[str]":
    code = READS_ITS_PARENT.format(first=first)
    environment = os.environ | {"GRADYARD_ADMIN_KEY": "canary-secret"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, preexec_fn=without_reading_others
    )


def test_a_child_reads_the_environment_of_a_parent_that_does_not_hide_it() -> None:
    assert "canary-secret" in _read_by_a_child("").stdout


def test_a_child_cannot_read_the_environment_of_a_parent_that_hides_it() -> None:
    read = _read_by_a_child(HIDES)
    assert read.returncode != 0
    assert "PermissionError" in read.stderr
    assert "canary" not in read.stdout
