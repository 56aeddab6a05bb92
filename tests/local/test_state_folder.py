"""A state folder has one owner at a time; clients find a running stack, and never one that has ended."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gradyard.client.endpoint import find_service, running_stack
from gradyard.jobs.settings import load
from gradyard.local.errors import CannotStart, StateFolderInUse
from gradyard.local.log_rotation import LARGEST_BYTES
from gradyard.local.state_folder import StateFolder

OWNER = """
import sys, time
from pathlib import Path
from gradyard.local.state_folder import StateFolder
folder = StateFolder(Path(sys.argv[1]))
folder.take()
folder.note("http://127.0.0.1:1234", [11, 22])
folder.announce("http://127.0.0.1:1234")
print("taken", flush=True)
time.sleep(600)
"""


def test_an_owner_is_found_and_named_until_it_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    with owner.stdout:
        owner.stdout.readline()
        folder = StateFolder(tmp_path)
        with pytest.raises(StateFolderInUse, match=rf"in use by process {owner.pid}, at http://127\.0\.0\.1:1234"):
            folder.take()
        assert find_service(settings=load(state_dir=tmp_path, url=None))[0] == "http://127.0.0.1:1234"
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    assert running_stack(folder.path) is None
    assert find_service(settings=load(state_dir=tmp_path, url=None))[0] == "http://127.0.0.1:8000"
    assert folder.take() == [11, 22]
    folder.leave()


def test_leaving_lets_the_next_one_in(tmp_path: Path) -> None:
    first, second = StateFolder(tmp_path / "new" / "state"), StateFolder(tmp_path / "new" / "state")
    assert first.take() == []
    first.announce("http://127.0.0.1:1")
    assert json.loads((first.path / "endpoint.json").read_text()) == {"url": "http://127.0.0.1:1", "pid": os.getpid()}
    first.withdraw()
    assert not (first.path / "endpoint.json").exists()
    first.leave()
    assert second.take() == []
    second.leave()
    assert (first.path.stat().st_mode & 0o777) == 0o700


def test_a_folder_that_others_could_read_and_all_that_is_made_in_it_become_private(tmp_path: Path) -> None:
    folder, umask = StateFolder(tmp_path), os.umask(0o022)
    try:
        (tmp_path / "gradyard.db").touch()
        tmp_path.chmod(0o755)
        folder.take()
        folder.log("api").touch()
        folder.announce("http://127.0.0.1:1")
        assert tmp_path.stat().st_mode & 0o777 == 0o700
        made = ("up.lock", "endpoint.json", "logs", "logs/api.log")
        assert [(tmp_path / each).stat().st_mode & 0o077 for each in made] == [0, 0, 0, 0]
        assert subprocess.check_output(["sh", "-c", "umask"]) == b"0077\n"  # of the processes of the stack
        folder.leave()
        assert subprocess.check_output(["sh", "-c", "umask"]) == b"0022\n"
    finally:
        os.umask(umask)


def test_a_folder_with_other_files_that_others_may_read_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    tmp_path.chmod(0o755)
    with pytest.raises(CannotStart, match="others may read it, and it holds other files; chmod 700") as caught:
        StateFolder(tmp_path).take()
    assert "choose another with --state-dir" in str(caught.value)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"cannot be written \(Not a directory\); choose another") as caught:
        StateFolder(tmp_path / "file" / "state").take()
    assert "\n" not in str(caught.value)


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(CannotStart, match=r"/state is a file; choose a folder with --state-dir$"):
        StateFolder(tmp_path / "state").take()


def test_a_full_disk_does_not_keep_an_owner_from_leaving(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.take()
    earlier = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, earlier[1]))
    try:
        for write in (lambda: folder.note("http://x", [1]), lambda: folder.announce("http://x")):
            with pytest.raises(OSError, match="File too large"):
                write()
        folder.withdraw()
        folder.leave()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, earlier)
    assert [path.name for path in tmp_path.iterdir()] == ["up.lock"]
    assert folder.take() == []
    folder.leave()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', '{"url": "http://x"}'])
def test_a_broken_endpoint_is_no_endpoint(tmp_path: Path, text: str) -> None:
    (tmp_path / "endpoint.json").write_text(text)
    (tmp_path / "up.lock").touch()
    assert running_stack(tmp_path) is None


def test_a_log_that_has_grown_starts_anew(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.log("api").write_text("short")
    assert folder.log("api").read_text() == "short"
    os.truncate(folder.log("api"), LARGEST_BYTES + 1)
    assert folder.log("api").stat().st_size == 0
    assert (tmp_path / "logs" / "api.log.1").stat().st_size == LARGEST_BYTES + 1
