"""The types of both Clients, as mypy and pyright see them in an installed wheel."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradyard import AsyncClient, Client
from gradyard.client.definitions import Asks, Iterates
from tests.packaging.environments import environment_with

HERE = Path(__file__).parent
PROGRAMS: dict[type[Client | AsyncClient], str] = {Client: "typed_client.py", AsyncClient: "typed_async_client.py"}
NOT_FOR_USERS = {"export_blocks"}  # of the command


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with(wheel, tmp_path_factory.mktemp("typed") / "venv")


@pytest.mark.parametrize("client", PROGRAMS, ids=lambda client: client.__name__)
def test_the_programs_use_every_method(client: type[Client | AsyncClient]) -> None:
    program = (HERE / PROGRAMS[client]).read_text()
    methods = {
        name for kind in client.__mro__ for name, found in vars(kind).items() if isinstance(found, Asks | Iterates)
    }
    assert {name for name in methods - NOT_FOR_USERS if not re.search(rf"client\.{name}\(", program)} == set()


@pytest.mark.slow
def test_mypy_knows_every_answer(python: Path, tmp_path: Path) -> None:
    copied = _copied(tmp_path)
    options = ["--strict", "--python-executable", str(python), "--cache-dir", str(tmp_path / "cache")]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *copied], cwd=tmp_path, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.slow
def test_pyright_knows_every_answer(python: Path, tmp_path: Path) -> None:
    copied = _copied(tmp_path)
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": copied}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", str(python), "--level", "error"]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def _copied(folder: Path) -> list[str]:
    """The programs away from the checkout, where `gradyard` is the installed one alone."""
    for name in PROGRAMS.values():
        (folder / name).write_text((HERE / name).read_text())
    return list(PROGRAMS.values())
