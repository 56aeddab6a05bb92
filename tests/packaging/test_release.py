"""`make release` makes a wheel, a source archive and two images of one version, of what is committed alone."""

import json
import os
import runpy
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.environments import HOUSE, copied_sources

RELEASE = HOUSE / ".ci" / "release.py"
VERSION = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]["version"]
DOCKER = """#!/bin/sh
echo "$@" >> "$DOCKER_CALLS"
ls Dockerfile pyproject.toml >> "$DOCKER_CALLS"
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A repository with this project's sources, committed, tagged, and with a section of the changelog."""
    folder = tmp_path / "house"
    folder.mkdir()
    copied_sources(folder)
    (folder / "Dockerfile").write_text((HOUSE / "Dockerfile").read_text())
    (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## [{VERSION}] - 2026-11-30\n\n- Everything.\n")
    (folder / ".gitignore").write_text("/dist/\n")
    git(folder, "init", "--quiet")
    committed(folder)
    git(folder, "tag", f"v{VERSION}")
    return folder


def git(folder: Path, *arguments: str) -> None:
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "-C", str(folder), *person, *arguments], check=True, capture_output=True)


def committed(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "everything")


def released(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of the command with a `docker` on PATH that writes down how it was called."""
    programs = folder.parent / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "docker").write_text(DOCKER)
    (programs / "docker").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}", "DOCKER_CALLS": str(folder.parent / "docker.calls")
    }  # fmt: skip
    command = [sys.executable, str(RELEASE), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_release_is_two_files_and_two_images_of_one_version(house: Path) -> None:
    done = released(house, "--registry", "images.example.org/lab")
    assert done.returncode == 0, done.stderr
    made = json.loads((house / "dist" / "release.json").read_text())
    assert made["version"] == VERSION
    assert sorted(made["sha256"]) == [f"gradyard-{VERSION}-py3-none-any.whl", f"gradyard-{VERSION}.tar.gz"]
    assert made["images"] == [f"images.example.org/lab/gradyard-{target}:{VERSION}" for target in ("api", "worker")]
    calls = (house.parent / "docker.calls").read_text().splitlines()
    label = f"--label org.opencontainers.image.version={VERSION} ."
    assert calls[0] == f"build --target api --tag images.example.org/lab/gradyard-api:{VERSION} {label}"
    assert calls[3] == f"build --target worker --tag images.example.org/lab/gradyard-worker:{VERSION} {label}"
    with zipfile.ZipFile(house / "dist" / f"gradyard-{VERSION}-py3-none-any.whl") as wheel:
        names = wheel.namelist()
    assert {"gradyard/py.typed", "service/app.py", "workers/pool/pool.py"} <= set(names)
    assert not [name for name in names if name.startswith("tests")]


@pytest.mark.parametrize(("programs", "found"), [(("docker", "podman"), "docker"), (("podman",), "podman"), ((), None)])
def test_podman_builds_the_images_where_there_is_no_docker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: tuple[str, ...], found: str | None
) -> None:
    for name in programs:
        (tmp_path / name).write_text(DOCKER)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    release: Any = runpy.run_path(str(RELEASE))
    if found is None:
        with pytest.raises(release["NotReady"], match="none of docker, podman is on PATH"):
            release["found_builder"]()
    else:
        assert release["found_builder"]() == found


@pytest.mark.slow
def test_an_image_that_cannot_be_built_is_told_in_one_line(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.DOCKER", "#!/bin/sh\necho the daemon is away >&2; exit 7\n")
    done = released(house)
    assert done.returncode == 1
    assert done.stderr.endswith("the daemon is away\nrelease: docker build ended with 7; what it said stands above\n")
    assert not (house / "dist" / "release.json").exists()


def test_a_file_that_is_not_committed_stops_it(house: Path) -> None:
    (house / "mine.py").write_text("")
    assert _refusal(house) == "release: the work tree has changes: commit or remove them (git status)\n"


def test_a_commit_without_its_tag_is_not_released(house: Path) -> None:
    git(house, "tag", "--delete", f"v{VERSION}")
    git(house, "tag", "v9.9.9")
    assert f"this commit has no tag v{VERSION}" in _refusal(house)


@pytest.mark.parametrize("heading", [f"## [{VERSION}] - unreleased", "## [9.9.9] - 2026-11-30"])
def test_a_version_without_its_dated_section_is_not_released(house: Path, heading: str) -> None:
    (house / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n")
    committed(house)
    git(house, "tag", "--force", f"v{VERSION}")
    assert f"no section `## [{VERSION}] - YYYY-MM-DD`" in _refusal(house)


def test_the_installed_version_is_that_of_the_project_and_of_its_changelog() -> None:
    assert version("gradyard") == VERSION
    assert f"## [{VERSION}]" in (HOUSE / "CHANGELOG.md").read_text()


def _refusal(house: Path) -> str:
    done = released(house)
    assert (done.returncode, (house / "dist").exists()) == (1, False)
    return done.stderr
