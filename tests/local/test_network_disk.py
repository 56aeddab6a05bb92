"""A SQLite file on a network file system is refused before anything is written there."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gradyard.cli.main import app
from gradyard.jobs.settings import load
from gradyard.local import network_disk
from gradyard.local.errors import CannotStart
from gradyard.local.network_disk import network_file_system, refuse_network_disk
from gradyard.local.stack import Stack, StackOptions

LINES = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:41 / /home rw,relatime shared:20 - autofs systemd-1 rw,fd=30
41 40 0:42 / /home/ada rw,relatime shared:21 - nfs4 server:/home/ada rw,vers=4.2
42 41 254:1 / /home/ada/local\040disk rw - xfs /dev/vdb rw
43 22 0:43 / /data rw - nfs server:/data rw
44 22 254:2 / /data rw - ext4 /dev/vdc rw
"""


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the kernel tells of mounts, with the folder of this test on a network file system."""
    file = tmp_path / "mountinfo"
    file.write_text(f"{LINES.strip()}\n45 22 0:44 / {tmp_path} rw - nfs4 server:/tmp rw\n")
    monkeypatch.setattr(network_disk, "MOUNTS", file)
    return file


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/home/ada/.local/state/gradyard.db", "nfs4"), ("/home/ada/local disk/gradyard.db", None), ("/var/x.db", None),
     ("/data/gradyard.db", None), ("/home/adam/gradyard.db", None)],
)  # fmt: skip
def test_the_innermost_mount_tells_what_a_file_is_on(mounts: Path, path: str, kind: str | None) -> None:
    assert network_file_system(Path(path)) == kind


def test_a_stack_is_not_started_there(mounts: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with pytest.raises(CannotStart, match=r"gradyard\.db is on a network file system \(nfs4\).*--state-dir"):
        Stack(StackOptions(load(state_dir=state, database_url=None))).start()
    assert not state.exists()


def test_postgresql_keeps_nothing_in_the_state_folder(mounts: Path, tmp_path: Path) -> None:
    refuse_network_disk(load(state_dir=tmp_path, database_url="postgresql://db/gradyard"))


@pytest.mark.parametrize("command", ["worker", "maintain", "api"])
def test_no_part_of_a_service_is_started_there(
    mounts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/gradyard.db")
    ended = CliRunner().invoke(app, [command])
    assert isinstance(ended.exception, CannotStart)
    assert "name another file in DATABASE_URL" in str(ended.exception)


def test_a_system_that_does_not_tell_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_disk, "MOUNTS", tmp_path / "nothing")
    assert network_file_system(tmp_path) is None
