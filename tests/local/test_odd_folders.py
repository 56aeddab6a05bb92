"""`gradyard up` in state folders of any name, and one line where a folder cannot be used."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.up_command import Start, up, url_of

pytestmark = pytest.mark.stack

ODD = """a?b 100%20 #1 'it' "is" [1]* é日本 \\ ;&=@"""
LONG = "/".join("x" * 100 for _ in range(4))  # 403 bytes; SQLite opens 511
UNUSABLE = ("/proc", "/proc/state", "/dev/full", "/dev/null/state", f"/tmp/{LONG}/{LONG}")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 16 KiB without any left."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root of the machine can mount a disk")
    (folder / "filling").write_bytes(b"x" * 16 * 1024)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_stack_starts_by_a_link_to_an_odd_folder_is_found_by_every_name_of_it_and_stops_when_asked(
    start: Start, state: Path
) -> None:
    folder, link = state / ODD / LONG, state / "a link"
    folder.mkdir(parents=True)
    link.symlink_to(folder)
    command = up(start, "--state-dir", str(link))
    url_of(command)
    submitted = start("submit", "--stage", "numpy", "--set", "steps=5", "--wait", "--state-dir", f"{folder}/")
    assert submitted.ends() == 0, submitted.lines
    upgraded = start("db", "upgrade", "--state-dir", str(link))
    assert (upgraded.ends(), upgraded.lines) == (0, ["the tables are up to date"])
    listed = start("jobs", "--json", "--state-dir", str(folder))
    assert listed.ends() == 0
    assert len(json.loads("\n".join(listed.lines))) == 1
    assert (folder / "gradyard.db").is_file()
    assert not list(state.glob("*.db"))
    command.look_around()
    command.process.send_signal(signal.SIGTERM)
    assert command.ends() == 0
    assert command.left_behind() == []


@pytest.mark.parametrize(
    ("folder", "command"),
    [(folder, ("up", "--port", "0")) for folder in UNUSABLE]
    + [(UNUSABLE[0], ("demo",)), (UNUSABLE[-1], ("demo",))]
    + [(UNUSABLE[1], ("db", "upgrade")), (UNUSABLE[-1], ("db", "upgrade"))],
)
def test_a_folder_that_cannot_be_used_is_said_in_one_line(start: Start, folder: str, command: tuple[str, ...]) -> None:
    ended = start(*command, "--state-dir", folder)
    assert ended.ends() == 1
    said = [line for line in ended.lines if line.startswith("gradyard: ")]
    assert len(said) == 1
    assert folder in said[0]
    assert not any("Traceback" in line for line in ended.lines)


@pytest.mark.parametrize("command", [("up", "--port", "0"), ("demo",), ("db", "upgrade")])
def test_a_full_disk_is_said_in_one_line(start: Start, tiny_disk: Path, command: tuple[str, ...]) -> None:
    ended = start(*command, "--state-dir", str(tiny_disk))
    assert ended.ends() == 1
    said = [line for line in ended.lines if line.startswith("gradyard: ")]
    assert len(said) == 1
    assert "full" in said[0] or "No space left" in said[0]
    assert ended.left_behind() == []
