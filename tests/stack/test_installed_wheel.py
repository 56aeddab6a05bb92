"""gradyard works from a built wheel, also where the user has packages with the names of our folders.

Each package of the user raises when it is imported. Dependencies come from the environment of the tests.
"""

import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.local.up_command import Command, environment_without_settings, nothing_left_after, url_of
from tests.packaging.environments import HOUSE, copied_sources, pip, wheel_of_this_project

pytestmark = pytest.mark.stack

USERS_OWN = ("jobs", "service", "workers", "processes", "store", "broker", "shapes", "client", "migrations", "tests")
TYPED = "from gradyard import Client\n\nreveal_type(Client().submit(stage='optim').formula)\n"
LAZY = """
import sys, time
began = time.perf_counter()
import gradyard
print(time.perf_counter() - began)
assert not {"httpx", "numpy", "pydantic", "sqlalchemy", "torch"} & set(sys.modules)
"""


@dataclass(frozen=True)
class Installed:
    """An environment with gradyard installed, and the user's folder with packages of the same names."""

    python: str
    folder: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the user's folder, and capture its output as text."""
        environment = environment_without_settings()
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy found out about the dependencies, which both environments have in common."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel and install it in a new environment."""
    wheel = wheel_of_this_project(tmp_path_factory.mktemp("wheels"))
    python = _environment(tmp_path_factory.mktemp("environment"))
    pip("--python", python, "install", "--no-deps", "--no-index", str(wheel))
    return Installed(python, _users_folder(tmp_path_factory.mktemp("user")))


def _environment(folder: Path) -> str:
    """Make an environment and return its Python. It finds the packages of this one, but not its editable gradyard."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    (packages / "of_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return str(folder / "bin" / "python")


def _users_folder(folder: Path) -> Path:
    for name in USERS_OWN:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise ImportError('the user has a package {name}')\n")
    (folder / "gunicorn.conf.py").write_text("raise ImportError('the user has settings of gunicorn')\n")
    return folder


def test_the_client_is_imported_beside_packages_of_the_users_own(installed: Installed) -> None:
    (installed.folder / "mine.py").write_text("from gradyard import Client, stages\nprint(Client, stages)\n")
    ended = installed.run(installed.python, "mine.py")
    assert ended.returncode == 0, ended.stderr


def test_importing_gradyard_takes_milliseconds(installed: Installed) -> None:
    ended = [installed.run(installed.python, "-c", LAZY) for _ in range(5)]
    assert [each.stderr for each in ended] == [""] * 5
    assert min(float(each.stdout) for each in ended) < 0.05


def test_a_stack_starts_in_such_a_folder_and_trains(installed: Installed, tmp_path: Path) -> None:
    gradyard = [str(Path(installed.python).with_name("gradyard"))]
    options = ["--port", "0", "--state-dir", str(tmp_path / "state"), "--cpu-slots", "1", "--gpus", "none"]
    up = Command([*gradyard, "up", *options], environment_without_settings(), installed.folder)
    try:
        url = url_of(up)
        script = f"from gradyard import Client\nwith Client({url!r}) as client:\n    "
        script += "print(client.wait(client.submit(stage='optim', steps=50).id, timeout=90).state)\n"
        trained = installed.run(installed.python, "-c", script)
        assert trained.stdout == "succeeded\n", (trained.stderr, up.lines)
        up.look_around()
        up.process.send_signal(signal.SIGINT)
        assert up.ends() == 130
        assert nothing_left_after(up)
    finally:
        up.kill()


def test_mypy_finds_the_types_in_an_installed_wheel(installed: Installed, tmp_path: Path, mypy_cache: Path) -> None:
    assert _revealed(installed.python, tmp_path, mypy_cache) == "str | None"


def test_mypy_finds_the_types_in_the_environment_of_make_demo(
    sources: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, mypy_cache: Path
) -> None:
    editable = re.findall(
        r"pip install .*-e '\.\[server,worker,embedded,postgresql\]'", (HOUSE / "Makefile").read_text()
    )
    assert editable
    assert all("--config-settings editable_mode=compat" in line for line in editable)
    python = _environment(tmp_path_factory.mktemp("editable"))
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--config-settings", "editable_mode=compat"]
    pip("--python", python, "install", *options, "-e", str(sources))
    assert _revealed(python, tmp_path, mypy_cache) == "str | None"


def _revealed(python: str, folder: Path, cache: Path) -> str:
    """The type of a job's formula that mypy reveals to a user of that environment."""
    (folder / "mine.py").write_text(TYPED)
    command = [sys.executable, "-P", "-m", "mypy", "--python-executable", python, "--cache-dir", str(cache)]
    environment: Mapping[str, str] = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
    ended = subprocess.run([*command, "mine.py"], cwd=folder, env=environment, capture_output=True, text=True)
    [revealed] = re.findall(r'Revealed type is "(.*)"', ended.stdout) or [ended.stdout]
    return str(revealed)
