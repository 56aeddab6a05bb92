"""Streams as a caller leaves them: cut off, closed, full, or of a terminal that shows ASCII alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gradyard.cli.output.standard_streams import ASCII, prepare
from tests.cli.command_for_tests import DONE, service
from tests.cli.pseudo_terminal import printed_by_commands
from tests.client.service_for_tests import JOB_ID, job

GRADYARD = [sys.executable, "-m", "gradyard"]
PLAIN = [{"LC_ALL": "C"}, {"LANG": "C", "LC_ALL": ""}, {"TERM": "dumb"}, {"PYTHONIOENCODING": "ascii"}]


def _environment(**more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("GRADYARD", "LC_", "LANG"))}
    return ours | {"LANG": "en_US.UTF-8", "TERM": "xterm-256color"} | more


def _shell(line: str, url: str) -> subprocess.CompletedProcess[str]:
    command = line.replace("gradyard", " ".join(GRADYARD))
    environment = _environment(GRADYARD_URL=url)
    return subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, env=environment)


def _on_a_terminal(url: str, commands: list[list[str]], **more: str) -> list[str]:
    """What each command prints on a terminal of 80 columns; one process prints it all."""
    environment = _environment(GRADYARD_URL=url, COLUMNS="80", **more)
    return list(printed_by_commands(commands, environment).values())


@pytest.mark.parametrize(
    "line",
    [
        "gradyard jobs | true",
        "gradyard jobs --json | head -1",
        f"gradyard show {JOB_ID} | head -1",
        f"gradyard losses {JOB_ID} --csv | head -1",
        "gradyard --help | head -1",
        f"gradyard show {JOB_ID} 2>&1 | true",
        "gradyard jobs >&-",
        "gradyard jobs >&- 2>&-",
        f"gradyard losses {JOB_ID} --csv >&- <&-",
    ],
)
def test_a_reader_that_went_away_or_never_was_is_no_error(line: str) -> None:
    with service().running() as running:
        ended = _shell(line, running.url)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("command", ["jobs", "jobs --json", f"show {JOB_ID}", f"losses {JOB_ID} --csv", "--help"])
def test_a_full_device_is_one_line(command: str) -> None:
    with service().running() as running:
        ended = _shell(f"gradyard {command} > /dev/full", running.url)
    assert ended.returncode == 1
    assert ended.stderr == "gradyard: the output cannot be written (No space left on device)\n"


@pytest.mark.parametrize("stderr", ["2> /dev/full", "2>&-", "2> >(true)"])
def test_an_error_that_cannot_be_said_has_its_exit_status(stderr: str) -> None:
    ended = _shell(f"gradyard show x --url http://127.0.0.1:1 {stderr}", "http://127.0.0.1:1")
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "")


@pytest.mark.parametrize("out", ["/dev/full", "/dev/null/x", "/nowhere/x"])
def test_losses_that_cannot_be_written_name_the_file(out: str) -> None:
    with service().running() as running:
        ended = _shell(f"gradyard losses {JOB_ID} --npy {out}", running.url)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"gradyard: {out} cannot be written (")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("plain", PLAIN, ids=str)
def test_an_ascii_terminal_gets_letters_that_look_intended(plain: dict[str, str]) -> None:
    commands = [["jobs"], ["show", JOB_ID], ["losses", JOB_ID], ["jobs", "--help"]]
    with service().running() as running:
        listed, shown, losses, helped = _on_a_terminal(running.url, commands, **plain)
    for printed in (listed, shown, losses, helped):
        assert printed
        assert printed.isascii()
        assert "?" not in printed
    for drawn in (shown, losses):
        assert "log scale |" in drawn
        assert "--------------------" in drawn


def test_a_terminal_of_unicode_gets_dots_and_one_without_color_no_codes() -> None:
    with service().running() as running:
        drawn, listed = _on_a_terminal(running.url, [["losses", JOB_ID], ["jobs"]], NO_COLOR="1")
    assert "⠀" in drawn
    assert "─" in listed
    assert "\x1b[3" not in drawn + listed


def test_json_is_whole_on_a_stream_of_ascii() -> None:
    named = job(name="é日本")
    with service(**{JOB_ID: DONE | {"name": "é日本"}}).running() as running:
        environment = _environment(GRADYARD_URL=running.url, PYTHONIOENCODING="ascii")
        ended = subprocess.run([*GRADYARD, "show", JOB_ID, "--json"], capture_output=True, env=environment)
    assert json.loads(ended.stdout)["name"] == named["name"]


def test_letters_without_a_look_alike_are_questioned_and_accents_fall() -> None:
    prepare()
    assert "é…°日 ⠉⠤⣀⣿⠀│".encode(ASCII, ASCII) == b"e~ ? '-_| |"


def test_the_output_of_a_whole_export_is_there_or_nothing(tmp_path: Path) -> None:
    out = tmp_path / "curves.ndjson"
    with service(export={}).running() as running:
        ended = _shell(f"ulimit -f 0; gradyard export {JOB_ID} --out {out}", running.url)
    assert ended.returncode == 1
    assert "cannot be written (File too large)" in ended.stderr
    assert list(tmp_path.iterdir()) == []
