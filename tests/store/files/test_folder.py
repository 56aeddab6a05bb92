"""A folder as a place: what lies on the disk, what a share that is away looks like, and links that lead elsewhere."""

import contextlib
import errno
import io
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gradyard.jobs.errors import ContentMissing, ContentUnavailable
from gradyard.store.files.folder import FolderContents
from gradyard.store.files.folder_errors import StoredFile, unavailable
from gradyard.store.files.names import MARKER
from tests.faults.small_disk import SmallDisk, why_not
from tests.store.files.sources import interrupted, raising, zeros


def every_use(contents: FolderContents) -> dict[str, Callable[[], object]]:
    """Each method with what it takes."""
    return {
        "put": lambda: contents.put("new", io.BytesIO(b"content")),
        "open": lambda: contents.open("a/b"),
        "delete": lambda: contents.delete("a/b"),
    }


def refused(use: Callable[[], object]) -> str:
    """What a use says that finds no place; that a content is missing would be another thing."""
    with pytest.raises(ContentUnavailable) as raised:
        use()
    assert raised.type is ContentUnavailable
    return str(raised.value)


def files_in(folder: Path) -> list[str]:
    """The names of all that lies in the folder and in those below it, but folders and the marker."""
    files = (str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())
    return sorted(name for name in files if name != MARKER)


def read(contents: FolderContents, name: str) -> bytes:
    with contents.open(name) as content:
        return content.read()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 2 MiB."""
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    disk = SmallDisk(tmp_path / "disk", 2)
    disk.mount()
    yield disk
    disk.unmount()


def test_files_and_folders_are_for_one_user_alone(in_folder: FolderContents) -> None:
    in_folder.put("a/b/c", io.BytesIO(b"content"))
    modes = {
        str(path.relative_to(in_folder.folder)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in (in_folder.folder, *in_folder.folder.rglob("[abc]"))
    }
    assert modes == {".": "0o700", "a": "0o700", "a/b": "0o700", "a/b/c": "0o600"}


def test_a_file_is_on_the_disk_before_its_name_and_the_name_before_put_returns(
    in_folder: FolderContents, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fsync(descriptor: int, real: Callable[[int], None] = os.fsync) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real(descriptor)

    def rename(*names: str, real: Callable[..., None] = os.rename, **folders: int) -> None:
        calls.append("rename")
        real(*names, **folders)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    in_folder.put("a/b", io.BytesIO(b"content"))
    assert calls == ["folder", "file", "rename", "folder"]


def test_a_put_that_is_interrupted_and_not_killed_cleans_up(in_folder: FolderContents) -> None:
    seen = list[str]()

    def look_and_raise() -> None:
        seen.extend(files_in(in_folder.folder))
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        in_folder.put("a/b", interrupted(10, look_and_raise))
    assert (seen, files_in(in_folder.folder)) == (["a/b.unfinished"], [])


def test_what_an_interrupted_put_left_is_no_content_and_is_deleted_with_its_name(in_folder: FolderContents) -> None:
    for name in ("a/b", "a/c"):
        in_folder.put(name, io.BytesIO(b"content"))
        (in_folder.folder / name).rename(in_folder.folder / f"{name}.unfinished")
    with pytest.raises(ContentMissing):
        in_folder.open("a/b")
    with pytest.raises(FileExistsError, match="a/b is being stored, or an interrupted put left"):
        in_folder.put("a/b", io.BytesIO(b"other"))
    assert files_in(in_folder.folder) == ["a/b.unfinished", "a/c.unfinished"]
    in_folder.delete("a/b")
    in_folder.delete("a/b")
    assert files_in(in_folder.folder) == ["a/c.unfinished"]
    in_folder.put("a/b", io.BytesIO(b"other"))
    assert read(in_folder, "a/b") == b"other"


def test_of_two_puts_of_one_name_at_once_the_later_is_refused(in_folder: FolderContents) -> None:
    def put_again() -> None:
        with pytest.raises(FileExistsError):
            in_folder.put("a", io.BytesIO(b"other"))

    in_folder.put("a", interrupted(10, put_again))
    assert (files_in(in_folder.folder), read(in_folder, "a")) == (["a"], bytes(10))


def test_a_put_whose_name_is_deleted_meanwhile_stores_nothing(in_folder: FolderContents) -> None:
    assert "lost a file" in refused(lambda: in_folder.put("a", interrupted(10, lambda: in_folder.delete("a"))))
    assert files_in(in_folder.folder) == []


def test_a_delete_is_on_the_disk_before_it_returns(in_folder: FolderContents, monkeypatch: pytest.MonkeyPatch) -> None:
    in_folder.put("a/b", io.BytesIO(b"content"))
    synced = list[tuple[Path, list[str]]]()

    def fsync(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), files_in(in_folder.folder)))

    monkeypatch.setattr(os, "fsync", fsync)
    in_folder.delete("a/b")
    assert synced == [(in_folder.folder / "a", [])]


def test_many_may_put_into_one_new_folder(in_folder: FolderContents) -> None:
    names = [f"new/{number}" for number in range(32)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: in_folder.put(name, io.BytesIO(name.encode())), names))
    assert files_in(in_folder.folder) == sorted(names)
    assert all(read(in_folder, name) == name.encode() for name in names)


def test_a_folder_that_is_not_there_is_not_one_without_files(in_folder: FolderContents, tmp_path: Path) -> None:
    in_folder.put("a/b", io.BytesIO(b"content"))
    in_folder.folder.rename(tmp_path / "away")
    for use in every_use(in_folder).values():
        assert f"{in_folder.folder} is not there" in refused(use)
    assert not in_folder.folder.exists()
    (tmp_path / "away").rename(in_folder.folder)
    assert read(in_folder, "a/b") == b"content"


def test_a_share_that_is_not_mounted_is_not_one_without_files(tmp_path: Path) -> None:
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    contents, share = FolderContents(tmp_path / "mount"), tmp_path / "share"
    share.mkdir()
    contents.folder.mkdir()
    mount = ["mount", "--bind", str(share), str(contents.folder)]
    with contextlib.ExitStack() as stack:
        subprocess.run(mount, check=True)
        stack.callback(subprocess.run, ["umount", "-l", str(contents.folder)], check=False)
        contents.prepare()
        contents.put("a/b", io.BytesIO(b"content"))
    for use in every_use(contents).values():
        assert f"its file {MARKER} is not: mount what has it" in refused(use)
    assert list(contents.folder.iterdir()) == []
    assert (share / "a" / "b").read_bytes() == b"content"


def test_a_folder_may_be_prepared_twice_but_not_in_one_that_is_not_there(tmp_path: Path) -> None:
    contents = FolderContents(tmp_path / "away" / "files")
    assert "is not there" in refused(contents.prepare)
    contents.folder.parent.mkdir()
    contents.prepare()
    contents.put("a", io.BytesIO(b"content"))
    contents.prepare()
    assert files_in(contents.folder) == ["a"]
    assert "away" in (contents.folder / MARKER).read_text()


def test_a_full_disk_takes_nothing_and_then_again(disk: SmallDisk) -> None:
    contents = FolderContents(disk.folder / "files")
    contents.prepare()
    contents.put("a/b", io.BytesIO(b"content"))
    disk.fill()
    assert "is on a disk that is full" in refused(lambda: contents.put("new", zeros(2**20)))
    assert "is on a disk that is full" in refused(lambda: contents.put("other/folder/a", io.BytesIO(b"content")))
    assert files_in(contents.folder) == ["a/b"]
    assert read(contents, "a/b") == b"content"
    disk.empty()
    contents.put("new", zeros(2**20))
    assert len(read(contents, "new")) == 2**20


def test_a_disk_that_is_too_small_for_a_content_keeps_no_part_of_it(disk: SmallDisk) -> None:
    contents = FolderContents(disk.folder / "files")
    contents.prepare()
    assert "is on a disk that is full" in refused(lambda: contents.put("a", zeros(3 * 2**20)))
    assert files_in(contents.folder) == []
    contents.put("a", zeros(2**20))


def test_a_disk_that_is_mounted_read_only_can_be_read(disk: SmallDisk) -> None:
    contents = FolderContents(disk.folder / "files")
    contents.prepare()
    contents.put("a/b", io.BytesIO(b"content"))
    subprocess.run(["mount", "-o", "remount,ro", str(disk.folder)], check=True)
    for name in ("put", "delete"):
        assert "is mounted read-only" in refused(every_use(contents)[name])
    assert files_in(contents.folder) == ["a/b"]
    assert read(contents, "a/b") == b"content"


def test_links_and_pipes_that_others_put_there_are_not_followed(in_folder: FolderContents, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (in_folder.folder / "folder").symlink_to(outside)
    (in_folder.folder / "file").symlink_to(outside / "secret")
    (in_folder.folder / "new.unfinished").symlink_to(outside / "new")
    os.mkfifo(in_folder.folder / "pipe")
    for name in ("folder/secret", "file"):
        with pytest.raises(ContentUnavailable, match="has a link or a file where a folder of its own should be"):
            in_folder.open(name)
    with pytest.raises(ContentUnavailable, match="has a link"):
        in_folder.put("folder/new", io.BytesIO(b"content"))
    for name in ("file", "new"):
        with pytest.raises(FileExistsError):
            in_folder.put(name, io.BytesIO(b"content"))
    with pytest.raises(ContentUnavailable, match="has a link"):
        in_folder.delete("folder/secret")
    with pytest.raises(ContentMissing):
        in_folder.open("pipe")
    assert [each.name for each in outside.iterdir()] == ["secret"]


def test_the_folder_itself_may_be_a_link(in_folder: FolderContents, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(in_folder.folder)
    FolderContents(tmp_path / "link").put("a", io.BytesIO(b"content"))
    assert read(in_folder, "a") == b"content"


@pytest.mark.parametrize("length", [-1, 10])
def test_a_share_that_goes_away_while_a_content_is_read_is_unavailable(tmp_path: Path, length: int) -> None:
    # the first page of a process is never there: reading it is EIO, as of a share
    descriptor = os.open("/proc/self/mem", os.O_RDONLY)
    with io.BufferedReader(StoredFile(descriptor, tmp_path)) as file:
        assert "does not answer" in refused(lambda: file.read(length))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ESTALE, "does not answer: look at its server and the network, or mount it again"),
        (errno.EACCES, "may not be used by this user"),
        (errno.EDQUOT, "has used up its disk quota"),
        (errno.EMFILE, "cannot be used: Too many open files"),
    ],
)
def test_an_error_of_the_system_says_what_to_do(number: int, words: str) -> None:
    error = unavailable(Path("/srv/files"), OSError(number, os.strerror(number)))
    assert str(error).startswith(f"the folder of files /srv/files {words}")


def test_no_descriptor_is_left_open(in_folder: FolderContents) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    in_folder.put("a/b/c", io.BytesIO(b"content"))
    in_folder.open("a/b/c").close()
    with contextlib.suppress(FileExistsError):
        in_folder.put("a/b/c", io.BytesIO(b"content"))
    in_folder.delete("a/b/c")
    for name in ("a", "d", "a/b/d"):
        with contextlib.suppress(ContentMissing):
            in_folder.open(name)
    with contextlib.suppress(ConnectionError):
        in_folder.put("e/f", interrupted(10, raising(ConnectionError())))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
