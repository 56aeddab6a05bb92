"""A state folder, and commands that run on it as processes."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.up_command import UP, Command, Ready, Start, environment_without_settings, url_of


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder of this test."""
    folder = Path(tempfile.mkdtemp(prefix="gradyard-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start(state: Path) -> Iterator[Start]:
    """Starts a command on the state folder; what still runs at the end is killed."""
    environment = environment_without_settings()
    started: list[Command] = []

    def start_one(*arguments: str, **more: str) -> Command:
        usual = {"GRADYARD_STATE_DIR": str(state)}
        started.append(Command([sys.executable, "-m", "gradyard", *arguments], environment | usual | more))
        return started[-1]

    yield start_one
    for command in started:
        command.kill()


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """A stack for the tests that leave it as they found it: up, and without errors."""
    state = tmp_path_factory.mktemp("ready")
    settings = {"GRADYARD_STATE_DIR": str(state)}
    command = Command([sys.executable, "-m", "gradyard", *UP], environment_without_settings() | settings)
    try:
        yield Ready(command, state, url_of(command), settings)
    finally:
        command.kill()
