"""The shell completes ids and stages from the running service, quickly, and stays silent without one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradyard.cli import main
from gradyard.cli.grammar import completion
from tests.cli.command_for_tests import Run, service
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, job

SLOW_SECONDS = 3.0
STAGES = {"stages": [{"name": "nn", "title": "nn module", "devices": ["cpu"], "defaults": {}},
                     {"name": "numpy", "title": "Warm-up", "devices": ["cpu"], "defaults": {}}]}  # fmt: skip
BATCHES = {"batches": [{"id": "0199-batch", "state": "running", "size": 12, "counts": {}}], "next_cursor": None}


def completed(line: str, url: str, folder: Path) -> tuple[list[str], str]:
    """What the shell offers for the last word of `line`, and what the command writes on stderr."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), "_GRADYARD_COMPLETE": "complete_bash"}
    environment = os.environ | words | {"GRADYARD_URL": url, "GRADYARD_STATE_DIR": str(folder)}
    command = [sys.executable, "-m", "gradyard"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ended.stdout.split(), ended.stderr


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("gradyard show ", [JOB_ID]),
        ("gradyard jobs cancel 0199", [JOB_ID]),
        ("gradyard jobs cancel x", []),
        ("gradyard batches watch ", ["0199-batch"]),
        ("gradyard jobs --batch ", ["0199-batch"]),
        ("gradyard stages show n", ["nn", "numpy"]),
        ("gradyard submit --stage nu", ["numpy"]),
        ("gradyard batches de", ["delete"]),
    ],
)
def test_ids_and_names_are_completed(tmp_path: Path, line: str, offered: list[str]) -> None:
    jobs = {"jobs": [job(state="failed")], "next_cursor": None}
    with service(jobs=jobs, stages=STAGES, batches=BATCHES).running() as running:
        assert completed(line, running.url, tmp_path) == (offered, "")


def test_without_a_service_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    assert completed("gradyard show ", "http://127.0.0.1:9", tmp_path) == ([], "")


def test_a_service_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        params = {"url": ""}
        parent = None

    def respond(_: Asked) -> Said:
        time.sleep(SLOW_SECONDS)
        return Said(200, {"jobs": [], "next_cursor": None})

    monkeypatch.setenv("GRADYARD_STATE_DIR", str(tmp_path))
    with FakeService(respond).running() as running:
        monkeypatch.setenv("GRADYARD_URL", running.url)
        began = time.monotonic()
        assert completion.job_ids(Context(), "") == []  # type: ignore[arg-type]
        assert time.monotonic() - began < SLOW_SECONDS / 2


def test_the_state_stands_beside_an_id(tmp_path: Path) -> None:
    with service(jobs={"jobs": [job(state="failed", name="mine")], "next_cursor": None}).running() as running:
        environment = os.environ | {"_GRADYARD_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "gradyard show ",
                                    "GRADYARD_URL": running.url, "GRADYARD_STATE_DIR": str(tmp_path)}  # fmt: skip
        ended = subprocess.run([sys.executable, "-m", "gradyard"], env=environment, capture_output=True, text=True,
                               check=False)  # fmt: skip
    assert "failed nn mine" in ended.stdout


def test_the_script_for_the_shell_can_be_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    monkeypatch.setattr(main, "_command", main._command.__wrapped__)  # that is read when the command is put together
    ended = run("--show-completion", "bash")
    assert ended.status == 0
    assert "_GRADYARD_COMPLETE=complete_bash" in ended.out
