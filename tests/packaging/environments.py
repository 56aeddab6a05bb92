"""Environments of Python with what an install of gradyard brings, made of the packages of this one.

pip would fetch the same from the network. Here the declared dependencies and theirs are linked, and nothing else is
there: what is imported without being declared is missed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, distribution, requires
from pathlib import Path

from packaging.requirements import Requirement

HOUSE = Path(__file__).parents[2]
SOURCES = ("gradyard", "migrations", "service", "workers", "pyproject.toml", "README.md")
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


def copied_sources(folder: Path) -> Path:
    """Copy the sources of the wheel into this folder, since a build writes into its folder."""
    for name in SOURCES:
        if (HOUSE / name).is_dir():
            shutil.copytree(HOUSE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(HOUSE / name, folder / name)
    return folder


def wheel_of_this_project(folder: Path) -> Path:
    """Build a wheel of the sources as they are now."""
    (folder / "sources").mkdir()
    sources = copied_sources(folder / "sources")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "wheels"), str(sources))
    [wheel] = (folder / "wheels").glob("*.whl")
    return wheel


def environment_with(wheel: Path, folder: Path, *extras: str) -> Path:
    """Make an environment as `pip install 'gradyard[…]'` makes it, and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python, packages = folder / "bin" / "python", folder / "lib" / VERSION / "site-packages"
    pip("--python", str(python), "install", "--no-compile", "--no-deps", "--no-index", str(wheel))
    for name in sorted(_needed(_declared(packages, extras))):
        _link(distribution(name), packages)
    return python


def pip(*arguments: str) -> None:
    """Run pip of this environment."""
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, env=os.environ | quiet, capture_output=True)


def _declared(packages: Path, extras: tuple[str, ...]) -> set[str]:
    """The requirements that the wheel names, without an extra and with each of these."""
    [metadata] = packages.glob("gradyard-*.dist-info/METADATA")
    lines = [line.partition(": ")[2] for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist")]
    return {_plain(each.name) for each in map(Requirement, lines) if _holds(each, extras)}


def _needed(names: set[str]) -> set[str]:
    """The distributions of these names and all that they need."""
    found: set[str] = set()
    left = set(names)
    while left:
        found |= left
        left = {each for name in left for each in _requirements(name)} - found
    return found


@cache
def _requirements(name: str) -> tuple[str, ...]:
    lines = map(Requirement, requires(name) or [])
    return tuple(_plain(each.name) for each in lines if _holds(each, ()) and _is_here(each.name))


def _is_here(name: str) -> bool:
    """Some wheels need what is not on this machine, such as CUDA's libraries for torch of the CPU."""
    try:
        return distribution(name) is not None
    except ModuleNotFoundError:
        return False


def _holds(requirement: Requirement, extras: tuple[str, ...]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _link(found: Distribution, packages: Path) -> None:
    for top in _tops(found):
        there = Path(str(found.locate_file(top)))
        if there.exists() and not (packages / top).exists():
            (packages / top).symlink_to(there)


def _tops(found: Distribution) -> Iterator[str]:
    """The files and folders of a distribution beside those of others; not its commands, nor what lies elsewhere."""
    tops = {file.parts[0] for file in found.files or ()}
    yield from sorted(top for top in tops if top not in ("..", "__pycache__"))
