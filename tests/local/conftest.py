"""A state folder, and commands that run on it as processes."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.up_command import Command, Start, environment_without_settings


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
