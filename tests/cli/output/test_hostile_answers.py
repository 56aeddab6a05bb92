"""Text of others reaches a terminal as text, whichever command prints it."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from gradyard.cli.grammar.vocabulary import NOUNS
from tests.cli.command_for_tests import DONE
from tests.cli.pseudo_terminal import printed_by_commands
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, job, stream

# A new title, another script's direction, the one-byte form of an escape, a link, a deleted line
EVIL = "\x1b]0;owned\x07\u202e\x9b2K\x1b]8;;http://evil\x1b\\[red]\r"
CONTROLS = ("\x1b]", "\x07", "\u202e", "\x9b", "\x1b\\")
KEPT = {"id", "state", "status", "from", "to", "job", "kind", "submitted_at", "at", "type", "next_cursor", "since",
        "batch", "queue", "uploaded_at"}  # fmt: skip

BAD = job(
    name="n", reason="error", message="m", state="failed", spec={"stage": "nn", "tags": {"t": "v"}, "pool": "big"},
    warnings=[{"pointer": "/p", "message": "m"}], attempt=1, steps_done=3,
)  # fmt: skip
WAITS = job(waiting={"reason": "every slot is busy", "position": 3, "estimated_start_at": None}, name="n")
BATCH = {"id": JOB_ID, "name": "b", "size": 2, "state": "finished", "counts": {"failed": 1, "succeeded": 1},
         "sweep": {"grid": {"name": [1]}},
         "failures": [{"reason": "e", "count": 1, "job": JOB_ID, "message": "m"}]}  # fmt: skip
FILE = {"id": JOB_ID, "name": "f", "bytes": 9, "format": "csv", "rows": 2, "jobs": 1, "uploaded_by": "u",
        "columns": [{"name": each, "type": "t", "is_numeric": True} for each in "xy"], "preview": [["p"]],
        "uploaded_at": "2026-11-23T09:00:00Z"}  # fmt: skip
HOLD = {"since": "2026-11-23T09:00:00Z", "actor": "a", "reason": "r"}
RULE = {"days": 9.0, "set_for": "project", "set_by": "s"}
ANSWERS: dict[str, Any] = {
    "jobs": {"jobs": [BAD, WAITS, DONE], "next_cursor": None},
    "best": {"jobs": [DONE | {"spec": {"stage": "nn", "name": "x"}}]},
    "batches": {"batches": [BATCH], "next_cursor": None},
    "queues": {"queues": [{"name": "cpu", "depth": 3, "live_slots": 1, "paused": HOLD}]},
    "workers": {"workers": [{"id": "1", "host": "h", "slot": "s", "queue": "cpu", "state": "drained", "pool": "p",
                             "device_name": "d", "device_uuid": "u", "drained": HOLD, "versions": {"gradyard": "1"}}]},
    "stages": {"stages": [{"name": "nn", "title": "t", "description": "d", "devices": ["cpu"], "dtype": "f"}],
               "refused": [{"name": "x", "package": "p", "reason": "r"}]},
    "nn": {"name": "nn", "title": "t", "description": "d", "defaults": {"loss": "mse", "init": {"kind": "k"}}},
    "keys": {"keys": [{"id": "1", "name": "n", "project": "p", "state": "live", "scopes": ["s"], "created_by": "c"}]},
    "audit": {"entries": [{"id": "1", "at": "2026-11-23T09:00:00Z", "actor": "a", "project": "p", "action": "drained",
                           "target": "t", "detail": "d"}], "next_cursor": None},
    "storage": {"projects": [{"project": "p", "kinds": [{"kind": "k", "bytes": 1, "rows": 1}], "retention": RULE}]},
    "files": {"files": [FILE], "next_cursor": None},
    "retention": RULE,
    "readyz": {"status": "degraded", "database": "d", "redis": "r", "version": "v", "database_kind": "k"},
    "metrics": {"metrics": ["m"]},
    "artifacts": {"artifacts": [{"name": "a", "dtype": "f", "shape": [1]}]},
    "events": {"events": [{"sequence": 1, "from": None, "to": "queued", "actor": "a", "detail": "d",
                           "at": "2026-11-23T09:00:00Z"}]},
    "logs": {"logs": [{"attempt": 1, "text": "printed\n", "truncated": False}]},
    "losses": {"steps": [0, 1], "losses": [2.0, 1.0]},
    "webhooks": {"webhooks": [{"id": "1", "url": "https://u", "events": ["job.failed"], "description": "d",
                               "project": "p", "enabled": False, "disabled_because": "b", "created_by": "c"}],
                 "next_cursor": None},
    "deliveries": {"deliveries": [{"id": "1", "event": "job.failed", "state": "waiting", "answer": "a",
                                   "error": "e"}], "next_cursor": None},
}  # fmt: skip
LISTS = [["jobs"], ["batches"], ["workers"], ["queues"], ["stages"], ["keys", "list"], ["audit"], ["status"],
         ["storage"], ["storage", "retention"], ["webhooks"], ["webhooks", "deliveries", JOB_ID],
         ["files"]]  # fmt: skip
SHOWN = [["show", JOB_ID], ["logs", JOB_ID], ["watch", JOB_ID], ["stages", "nn"], ["batches", "show", JOB_ID],
         ["batches", "best", JOB_ID], ["batches", "watch", JOB_ID], ["metrics", JOB_ID], ["artifacts", JOB_ID],
         ["export", JOB_ID], ["export", JOB_ID, "--csv"], ["submit", "--stage", "nn"],
         ["submit", "--stage", "nn", "--wait"], ["retry", JOB_ID], ["files", "show", JOB_ID]]  # fmt: skip
REFUSED = [["show", "refused"], ["cancel", "refused"], ["delete", "refused"], ["logs", "refused"]]
COMMANDS = [*LISTS, *SHOWN, *REFUSED]
ID_ALONE = f"retry {JOB_ID}"  # prints nothing else of the answer
AS_JSON = [[*each, "--json"] for each in COMMANDS if each[0] != "export"]


def hostile(value: Any, name: str = "") -> Any:
    """The answer with something evil in every text that a person, a program or a host could have chosen."""
    if isinstance(value, dict):
        return {each: hostile(part, each) for each, part in value.items()}
    if isinstance(value, list):
        return [hostile(part, name) for part in value]
    return value + EVIL if isinstance(value, str) and name not in KEPT else value


def respond(asked: Asked) -> Said:
    last = asked.path.rsplit("/", 1)[-1]
    if "refused" in asked.path:
        return Said(409, hostile({"type": "t", "title": "t", "status": 409, "detail": "d"}))
    if asked.headers.get("Accept") == "text/event-stream":
        return stream(batch_ended=hostile(BATCH)) if "batches" in asked.path else stream(ended=hostile(BAD))
    if last == "export":
        return Said(200, f"job,{EVIL}\n{{}}{EVIL}\n".encode())
    if last == JOB_ID:
        kinds = {"batches": BATCH, "files": FILE}
        return Said(200, hostile(next((kinds[each] for each in kinds if each in asked.path), BAD)))
    if asked.method == "POST":
        return Said(202, hostile(BAD))
    return Said(200, hostile(ANSWERS[last]))


def on_a_terminal(commands: Sequence[list[str]], url: str) -> dict[str, str]:
    """What each command prints on a terminal."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRADYARD")}
    environment |= {"GRADYARD_URL": url, "COLUMNS": "300", "TERM": "xterm-256color", "LANG": "en_US.UTF-8"}
    return printed_by_commands(commands, environment)


@pytest.mark.slow
@pytest.mark.parametrize("commands", [COMMANDS, AS_JSON], ids=["text", "json"])
def test_no_answer_controls_the_terminal(commands: Sequence[list[str]]) -> None:
    with FakeService(respond).running() as running:
        printed = on_a_terminal(commands, running.url)
    assert list(printed) == [" ".join(each) for each in commands]
    for command, text in printed.items():
        assert [each for each in CONTROLS if each in text] == [], (command, text)
        assert "Traceback" not in text, (command, text)
        if command.removesuffix(" --json") != ID_ALONE:
            assert r"\u001b]0;owned" in text, (command, text)


@pytest.mark.slow
def test_json_on_a_terminal_means_what_it_means_in_a_file() -> None:
    with FakeService(respond).running() as running:
        (printed,) = on_a_terminal([["jobs", "--json"]], running.url).values()
    assert json.loads(printed)[0]["name"] == "n" + EVIL


@pytest.mark.slow
def test_a_file_gets_what_the_service_sent() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    with FakeService(respond).running() as running:
        command = [sys.executable, "-m", "gradyard", "export", JOB_ID, "--csv", "--url", running.url]
        ended = subprocess.run(command, capture_output=True, env=environment)
    assert EVIL.rstrip("\r").encode() in ended.stdout


def test_every_noun_is_asked() -> None:
    assert set(NOUNS) <= {*(each[0] for each in COMMANDS), "jobs"}
