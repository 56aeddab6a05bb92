"""A file that a command writes is there as a whole, or not at all; a file that was there before stays."""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

import pytest

from gradyard.client.errors import CannotWrite
from gradyard.client.exports.whole_file import written_whole


@pytest.fixture
def a_disk_with_10_bytes() -> Iterator[None]:
    """Every file of this process ends at 10 bytes, as on a full disk."""
    earlier = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, earlier[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, earlier)


def _write_half_of(file: IO[bytes], error: type[BaseException]) -> NoReturn:
    file.write(b"half")
    file.flush()
    raise error


def test_it_has_its_name_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with written_whole(path) as file:
        file.write(b"begun")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"begun"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("earlier", [None, b"earlier"])
def test_an_interruption_leaves_what_was_there(
    tmp_path: Path, error: type[BaseException], earlier: bytes | None
) -> None:
    path = tmp_path / "out"
    if earlier is not None:
        path.write_bytes(earlier)
    with pytest.raises(error), written_whole(path) as file:
        _write_half_of(file, error)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([] if earlier is None else [earlier])


@pytest.mark.usefixtures("a_disk_with_10_bytes")
def test_a_full_disk_is_said_in_one_line_and_leaves_no_half_file(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"out cannot be written \(File too large\)$"):
        with written_whole(tmp_path / "out") as file:
            file.write(b"more than ten bytes")
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_written_and_never_replaced() -> None:
    with written_whole(Path("/dev/null")) as file:
        file.write(b"x")
    with pytest.raises(CannotWrite, match=r"/dev/full cannot be written \(No space left on device\)$"):
        with written_whole(Path("/dev/full")) as file:
            file.write(b"x")
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("path", ["/proc/out", "/dev/null/out", "/nowhere/out", "/proc"])
def test_a_place_that_takes_no_file_is_named(path: str) -> None:
    with pytest.raises(CannotWrite, match=f"^{path} cannot be written"), written_whole(Path(path)):
        pass


def test_a_link_is_followed_and_permissions_stay(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"earlier")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    with written_whole(tmp_path / "link") as file:
        file.write(b"new")
    with written_whole(tmp_path / "secret", permissions=0o600) as file:
        file.write(b"key")
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "real").read_bytes(), (tmp_path / "real").stat().st_mode & 0o777) == (b"new", 0o640)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
