"""Makes a release of the commit that is checked out: a wheel, a source archive and two images, all of one version.

    make release                          (python .ci/release.py [--registry images.example.org/lab])

The version stands in pyproject.toml. It is released where the work tree is clean, the commit has the tag vVERSION, and
CHANGELOG.md has its section with a date. Docker builds the images, or Podman where there is no Docker. Everything is
made of `git archive`, so that no file of this folder alone gets in. `dist/` then holds the files, and `release.json`
with the commit, the hashes and the images. Nothing is uploaded.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

IMAGES = ("api", "worker")  # targets of the Dockerfile
BUILDERS = ("docker", "podman")  # the first one on PATH builds them
BY_FILTER: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.4 brought it
SDIST = "import sys, setuptools.build_meta as build; build.build_sdist(sys.argv[1])"


class NotReady(Exception):
    """Something must be done before this commit is released."""


def main(arguments: list[str]) -> int:
    """Make the release of the current folder; 1 with one line where something must be done first."""
    parser = argparse.ArgumentParser(prog="release", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--registry", default="", help="put before the names of the images: images.example.org/lab")
    options = parser.parse_args(arguments)
    try:
        version, builder = checked_version(Path.cwd()), found_builder()
        made = release(Path.cwd(), version, builder, options.registry)
    except NotReady as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print(json.dumps(made, indent=2))
    print(f"\nto publish it: git push origin v{version}, and upload dist/ and the images")
    return 0


def checked_version(house: Path) -> str:
    """The version to release. Raises NotReady where the work tree, the tag or the changelog is not that of it."""
    version = str(tomllib.loads((house / "pyproject.toml").read_text())["project"]["version"])
    if _git(house, "status", "--porcelain"):
        raise NotReady("the work tree has changes: commit or remove them (git status)")
    if f"v{version}" not in _git(house, "tag", "--points-at", "HEAD").split():
        raise NotReady(f"this commit has no tag v{version}: git tag -a v{version}, or change the version")
    heading = re.search(rf"^## \[{re.escape(version)}\] - (.*)$", (house / "CHANGELOG.md").read_text(), re.MULTILINE)
    if heading is None or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[1]):
        raise NotReady(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD`")
    return version


def found_builder() -> str:
    """The program that builds images. Raises NotReady where there is none."""
    found = next(filter(shutil.which, BUILDERS), None)
    if found is None:
        raise NotReady(f"none of {', '.join(BUILDERS)} is on PATH: install one of them, the images need it")
    return found


def release(house: Path, version: str, builder: str, registry: str) -> dict[str, Any]:
    """Build everything, and say what was built."""
    dist = house / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        sources = _archived(house, Path(folder))
        _run(sources, sys.executable, "-c", SDIST, str(dist))
        _run(sources, sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
             "--wheel-dir", str(dist), ".")  # fmt: skip
        images = [_image(sources, builder, target, version, registry) for target in IMAGES]
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(dist.iterdir())}
    made = {"version": version, "commit": _git(house, "rev-parse", "HEAD"), "sha256": files, "images": images}
    (dist / "release.json").write_text(json.dumps(made, indent=2) + "\n")
    return made


def _image(sources: Path, builder: str, target: str, version: str, registry: str) -> str:
    name = f"{registry.rstrip('/')}/gradyard-{target}:{version}".lstrip("/")
    label = f"org.opencontainers.image.version={version}"
    _run(sources, builder, "build", "--target", target, "--tag", name, "--label", label, ".")
    return name


def _archived(house: Path, folder: Path) -> Path:
    """The files of the commit, and no others."""
    archive = folder / "sources.tar"
    _git(house, "archive", "--output", str(archive), "HEAD")
    shutil.unpack_archive(archive, folder / "sources", **BY_FILTER)
    return folder / "sources"


def _git(house: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(house), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, check=False, stdout=sys.stderr)
    if done.returncode:
        raise NotReady(f"{' '.join(command[:2])} ended with {done.returncode}; what it said stands above")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
