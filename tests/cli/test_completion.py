"""The shell completes ids and stages from the running service, quickly, and stays silent without one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from gradyard.cli import main
from gradyard.cli.grammar import completion
from tests.cli.command_for_tests import Run, service
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, job

HELD_SECONDS = 10.0  # less than a client waits for an answer: one that was waited for would be offered
STAGES = {"stages": [{"name": "nn", "title": "nn module", "devices": ["cpu"], "defaults": {}},
                     {"name": "numpy", "title": "Warm-up", "devices": ["cpu"], "defaults": {}}]}  # fmt: skip
BATCHES = {"batches": [{"id": "0199-batch", "state": "running", "size": 12, "counts": {}}], "next_cursor": None}

WAITS_A_MINUTE = """
from gradyard.cli.grammar import completion
from gradyard.cli.main import main
completion.LONGEST_SECONDS = 60.0
"""


def completed(line: str, url: str, folder: Path) -> tuple[list[str], str]:
    """What the shell offers for the last word of `line`, and what the command writes on stderr."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), "_GRADYARD_COMPLETE": "complete_bash"}
    environment = os.environ | words | {"GRADYARD_URL": url, "GRADYARD_STATE_DIR": str(folder)}
    command = [sys.executable, "-c", WAITS_A_MINUTE + "main()"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ended.stdout.split(), ended.stderr


OFFERED = {
    "gradyard jobs cancel 0199": [JOB_ID],
    "gradyard jobs cancel x": [],
    "gradyard batches watch ": ["0199-batch"],
    "gradyard jobs --batch ": ["0199-batch"],
    "gradyard stages show n": ["nn", "numpy"],
    "gradyard submit --stage nu": ["numpy"],
    "gradyard batches de": ["delete"],
}
EACH_LINE = f"""{WAITS_A_MINUTE}
import contextlib, io, json, os, sys
offered = {{}}
for line in json.loads(sys.argv.pop()):
    os.environ |= {{"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}}
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
        main()
    offered[line] = said.getvalue().split()
print(json.dumps(offered))
"""


@pytest.fixture
def answering() -> FakeService:
    return service(jobs={"jobs": [job(state="failed")], "next_cursor": None}, stages=STAGES, batches=BATCHES)


def test_an_id_is_completed(tmp_path: Path, answering: FakeService) -> None:
    with answering.running() as running:
        assert completed("gradyard show ", running.url, tmp_path) == ([JOB_ID], "")


def test_ids_names_and_verbs_are_completed_for_every_noun(tmp_path: Path, answering: FakeService) -> None:
    command = [sys.executable, "-c", EACH_LINE, json.dumps(list(OFFERED))]
    with answering.running() as running:
        environment = os.environ | {"GRADYARD_URL": running.url, "GRADYARD_STATE_DIR": str(tmp_path)}
        environment |= {"_GRADYARD_COMPLETE": "complete_bash"}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (json.loads(ended.stdout), ended.stderr) == (OFFERED, "")


def test_without_a_service_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    assert completed("gradyard show ", "http://127.0.0.1:9", tmp_path) == ([], "")


def test_a_service_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        params = {"url": ""}
        parent = None

    given_up = Event()

    def respond(_: Asked) -> Said:
        given_up.wait(HELD_SECONDS)
        return Said(200, {"jobs": [job()], "next_cursor": None})

    monkeypatch.setenv("GRADYARD_STATE_DIR", str(tmp_path))
    with FakeService(respond).running() as running:
        monkeypatch.setenv("GRADYARD_URL", running.url)
        assert completion.job_ids(Context(), "") == []  # type: ignore[arg-type]
        given_up.set()


def test_the_state_stands_beside_an_id(tmp_path: Path) -> None:
    with service(jobs={"jobs": [job(state="failed", name="mine")], "next_cursor": None}).running() as running:
        environment = os.environ | {"_GRADYARD_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "gradyard show ",
                                    "GRADYARD_URL": running.url, "GRADYARD_STATE_DIR": str(tmp_path)}  # fmt: skip
        command = [sys.executable, "-c", WAITS_A_MINUTE + "main()"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "failed nn mine" in ended.stdout


def test_the_script_for_the_shell_can_be_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    monkeypatch.setattr(main, "_command", main._command.__wrapped__)  # that is read when the command is put together
    ended = run("--show-completion", "bash")
    assert ended.status == 0
    assert "_GRADYARD_COMPLETE=complete_bash" in ended.out
