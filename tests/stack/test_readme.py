"""What the README and the pages say to type works on a running service."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack.service_processes import Service

pytestmark = [pytest.mark.stack, pytest.mark.parametrize("service", ["postgresql"], indirect=True)]

README = Path(__file__).parents[2] / "README.md"
LONGEST_SECONDS = 300


@pytest.fixture
def typed(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two ids of succeeded jobs, of which a command of the README takes the first or both."""
    monkeypatch.setenv("GRADYARD_URL", service.url)
    jobs = [service.client.submit(stage="nn", steps=20, seed=seed) for seed in (1, 2)]
    return [service.client.wait(job.id).id for job in jobs]


def test_the_python_of_the_readme_prints_what_it_says(typed: list[str]) -> None:
    block, said = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", README.read_text(), re.DOTALL)[0]
    printed = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=True).stdout
    assert printed.split()[:3] == said.split()[:3]
    assert re.sub(r"[-\d.e]+", "0", printed) == re.sub(r"[-\d.e]+", "0", said)


def test_the_commands_of_the_readme_work(service: Service, typed: list[str]) -> None:
    rows = re.findall(r"^\| (`gradyard .*?) \|", README.read_text(), re.MULTILINE)
    commands = [command for row in rows for command in re.findall(r"`(gradyard [^`]*)`", row)]
    assert len(commands) > 6
    batch = service.client.sweep({"stage": "nn", "steps": 20}, grid={"seed": [1, 2]})
    service.client.wait_batch(batch.id)
    for command in commands:
        ids = [batch.id] if " batches " in command else list(typed)
        words = [ids.pop(0) if word == "ID" else word for word in shlex.split(command)]
        run = subprocess.run(
            [sys.executable, "-m", *words], capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
        )
        assert run.returncode == 0, (command, run.stdout, run.stderr)
        assert run.stdout


def test_the_python_of_the_page_of_the_client_works(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADYARD_URL", service.url)
    blocks = re.findall(r"```python\n(.*?)```", (README.parent / "docs" / "python.md").read_text(), re.DOTALL)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert re.match(r"<Job [\w-]+ optim succeeded, 500 steps, loss [\d.]+> [\d.]+\n", run.stdout)
    assert run.stdout.endswith("4 finished\n")
