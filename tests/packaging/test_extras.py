"""`pip install gradyard` is the Client and the command; each extra brings what its processes import."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.client.service_for_tests import Asked, FakeService, Said, job
from tests.local.up_command import environment_without_settings
from tests.packaging.environments import environment_with

pytestmark = pytest.mark.slow

OF_SERVICES = ("alembic", "celery", "flask", "gunicorn", "redis", "sqlalchemy", "torch")


@pytest.fixture(scope="module")
def client_alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment made by `pip install gradyard`."""
    return environment_with(wheel, tmp_path_factory.mktemp("client") / "venv")


def ran(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of this Python away from the checkout, whose folders must not be found."""
    environment = environment_without_settings()
    return subprocess.run(
        [str(python), *arguments], cwd=python.parent, env=environment, capture_output=True, text=True, check=False
    )


def test_the_client_s_environment_has_nothing_of_a_service(client_alone: Path) -> None:
    looked = ran(client_alone, "-c", f"import importlib.util as i; print([n for n in {OF_SERVICES} if i.find_spec(n)])")
    assert looked.stdout == "[]\n", looked.stderr


def respond(asked: Asked) -> Said:
    ended = job(state="succeeded", steps_done=2)
    is_list = (asked.method, asked.path) == ("GET", "/v1/jobs")
    below = {"losses": {"steps": [0, 1], "losses": [2.0, 1.0]}, "events": {"events": []}}
    return Said(200, {"jobs": [ended], "next_cursor": None} if is_list else below.get(asked.path.split("/")[-1], ended))


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["submit", "--stage", "nn", "--wait"], "succeeded"),
        (["jobs"], "succeeded"),
        (["show", "0199c0de"], "succeeded"),
        (["--version"], "gradyard"),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_an_everyday_command_asks_a_service_elsewhere(client_alone: Path, words: list[str], shown: str) -> None:
    with FakeService(respond).running() as service:
        url = [] if words == ["--version"] else ["--url", service.url]
        done = ran(client_alone, "-m", "gradyard", *words, *url)
    assert (done.returncode, shown in done.stdout + done.stderr) == (0, True), done.stderr


def test_both_clients_work_there(client_alone: Path) -> None:
    script = """
import asyncio, sys
from gradyard import AsyncClient, Client

async def ask():
    async with AsyncClient(sys.argv[1]) as client:
        return (await client.job("x")).state

with Client(sys.argv[1]) as client:
    print(client.job("x").state, asyncio.run(ask()))
"""
    with FakeService(lambda _: Said(200, job())).running() as service:
        done = ran(client_alone, "-c", script, service.url)
    assert done.stdout == "queued queued\n", done.stderr


NEED_EXTRAS = {
    "up": "server,worker", "up --api-only": "server", "demo": "server,worker", "api": "server", "worker": "worker",
    "maintain": "server", "db upgrade": "server", "db downgrade base": "server", "db backup f": "server",
    "db restore f": "server", "db vacuum": "server",
}  # fmt: skip
EACH_COMMAND = """
import contextlib, io, json, sys
from gradyard.cli.main import main
ended = {}
for words in json.loads(sys.argv[1]):
    sys.argv = ["gradyard", *words.split(), "--state-dir", "state"]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            main()
        except SystemExit as end:
            ended[words] = end.code, said.getvalue()
print(json.dumps(ended))
"""


@pytest.fixture(scope="module")
def without_extras(client_alone: Path) -> dict[str, tuple[int, str]]:
    """The exit status of each command that needs an extra, and what it says; one process runs them all."""
    done = ran(client_alone, "-c", EACH_COMMAND, json.dumps(list(NEED_EXTRAS)))
    assert done.returncode == 0, done.stderr
    ended: dict[str, tuple[int, str]] = json.loads(done.stdout)
    return ended


@pytest.mark.parametrize("words", NEED_EXTRAS)
def test_a_command_that_needs_an_extra_names_it_in_one_line(
    without_extras: dict[str, tuple[int, str]], words: str
) -> None:
    status, said = without_extras[words]
    assert status == 1
    assert said.startswith("gradyard: this needs ")
    assert said.endswith(f": pip install 'gradyard[{NEED_EXTRAS[words]}]'\n")
    assert said.count("\n") == 1


def test_so_does_a_process_of_its_own(client_alone: Path) -> None:
    done = ran(client_alone, "-m", "gradyard", "up", "--state-dir", str(client_alone.parent / "state"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("gradyard: this needs ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("extras", "imports"),
    [
        (["server"], "service.app, service.server.worker, workers.maintenance, gradyard.local.database_upgrade"),
        (["worker"], "workers.celery_side.app, workers.maintenance, workers.pool.pool, workers.runner.main"),
        (["files"], "gradyard.store.files.bucket"),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_an_extra_brings_what_its_processes_import(
    wheel: Path, extras: list[str], imports: str, tmp_path: Path
) -> None:
    python = environment_with(wheel, tmp_path / "venv", *extras)
    done = ran(python, "-c", f"import {imports}")
    assert done.returncode == 0, done.stderr
