"""The fast tests of client, command and vocabulary on each Python of this machine, each in a fresh environment.

    python -m tests.packaging.pythons [3.12 3.13]

It installs what the dependencies allow: everything that these tests need, else the Client and the command alone. Torch
they do not need, and for some Pythons its wheel brings gigabytes of CUDA: `make test PYTHON=python3.13` tries that.
It ends with a table, and with status 1 where an install or a test failed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.environments import HOUSE, wheel_of_this_project

INSTALLS = {"all but torch": "[server,embedded,postgresql,arrow,pandas,plot,test]", "client alone": ""}
TESTS = ("tests/client", "tests/cli", "tests/jobs")
LEFT_OUT = "not server and not slow and not gpu and not stack"
CHECKS_OF_THE_CLIENT = """
import asyncio, gradyard
from gradyard import AsyncClient, Client
print(Client("http://127.0.0.1:1"), repr(AsyncClient("http://127.0.0.1:1")))
"""


@dataclass(frozen=True)
class Tried:
    """What came of one version of Python."""

    version: str
    python: str
    installed: str
    tests: str
    seconds: float
    good: bool


def versions() -> list[str]:
    """The versions that the package names, the oldest first."""
    found = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]["classifiers"]
    return [each.rpartition(" ")[2] for each in found if each.startswith("Programming Language :: Python :: 3.")]


def interpreter_of(version: str) -> str | None:
    """An interpreter of this version: on PATH, or of pyenv."""
    for candidate in _candidates(version):
        asked = [candidate, "-c", "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"]
        try:
            told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
        except OSError:
            continue
        if told.stdout.strip() == version:
            return candidate
    return None


def _candidates(version: str) -> Iterator[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from map(str, sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True))
    found = shutil.which(f"python{version}")
    if found:
        yield found


def tried(version: str) -> Tried:
    """Install in a fresh environment of this version, and run the tests there."""
    python = interpreter_of(version)
    if python is None:
        return Tried(version, "not on this machine", "-", "-", 0.0, True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"gradyard-{version}-") as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        own, wheel = f"{folder}/bin/python", wheel_of_this_project(Path(folder))
        installed = next((name for name, extras in INSTALLS.items() if _installs(own, f"{wheel}{extras}")), None)
        good, tests = (False, "-") if installed is None else _tests(own, installed)
    return Tried(version, python, installed or "nothing", tests, time.monotonic() - began, good)


def _installs(python: str, what: str) -> bool:
    """Whether pip installs it: with the pinned versions, else with any that are allowed."""
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for pins in (["-c", str(HOUSE / "constraints.txt")], []):
        done = subprocess.run([*pip, *pins, what], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return True
        print("\n".join(line for line in done.stderr.splitlines() if "ERROR" in line)[-2000:], file=sys.stderr)
    return False


def _tests(python: str, installed: str) -> tuple[bool, str]:
    if installed == "client alone":
        done = subprocess.run([python, "-I", "-c", CHECKS_OF_THE_CLIENT], capture_output=True, text=True, check=False)
        return done.returncode == 0, (done.stdout if done.returncode == 0 else done.stderr).strip()[-60:]
    command = [python, "-m", "pytest", "-q", "-m", LEFT_OUT, "-p", "no:cacheprovider", "-n", "auto", *TESTS]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-2000:], file=sys.stderr)
    return done.returncode == 0, (done.stdout.strip().splitlines() or ["-"])[-1]


def main(asked: Sequence[str]) -> int:
    """Try the versions that are asked for, else all; print a table."""
    found = []
    for version in asked or versions():
        print(f"Python {version} …", flush=True)
        found.append(tried(version))
    print(f"\n{'Python':8}{'installed':16}{'seconds':>8}  tests and interpreter")
    for each in found:
        print(f"{each.version:8}{each.installed:16}{each.seconds:8.0f}  {each.tests}  ({each.python})")
    return 0 if all(each.good for each in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
