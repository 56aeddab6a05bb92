"""The servers of the tests end with the test process, also when it is killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack.until import until

pytestmark = pytest.mark.stack

START_AND_WAIT = """
import os, sys
from tests.servers import PostgresServer
with PostgresServer.start() as server:
    print(os.environ["XDG_RUNTIME_DIR"], flush=True)
    sys.stdin.read()
"""


def test_the_postgresql_server_of_a_killed_test_process_ends_and_its_folder_goes() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    command = [sys.executable, "-c", START_AND_WAIT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().decode().strip())
        postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        process.kill()
    until(lambda: not folder.exists() and not Path(f"/proc/{postmaster}").exists())
