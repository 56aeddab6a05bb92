"""The arrays in an NPZ file, which is a zip file, read without trust: as streams, never unpacked to disk or whole."""

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, BinaryIO, NamedTuple, cast

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.columns import MOST_COLUMNS
from gradyard.jobs.files.shown import quoted

ENDING = ".npy"
UNPACKED_BYTES = 2**30
DIRECTORY_BYTES = 2**20  # zipfile makes objects of ten times the size of it
ENCRYPTED = 0x1
STREAMED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of the others a few bytes unpack to gigabytes in one step
LOCAL_HEADER_BYTES = 30
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, LookupError,
    struct.error,
)  # fmt: skip
"""What zipfile raises for content that is damaged; ContentUnavailable and errors of the disk are none of these."""


class Member(NamedTuple):
    """An array of an NPZ file: its name, how messages call it, and how many bytes it says that it has."""

    name: str
    what: str
    stored_bytes: int
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The array as a stream of `stored_bytes` at most, for as long as the block lasts.

        Raises FileInvalid where the block reads what is damaged. The checksum is compared at the end of the stream.
        """
        try:
            with self.archive.open(self.info) as stream:
                yield cast(BinaryIO, stream)
        except UNREADABLE as error:
            raise FileInvalid(f"{self.what} is damaged; write the file again with numpy.savez, and send it") from error


@contextmanager
def members_of(content: BinaryIO) -> Iterator[Sequence[Member]]:
    """The arrays of a zip file; none where it is another kind of zip file.

    Raises FileInvalid where it begins with an array and cannot be read, or where reading one could harm: encrypted,
    there twice, with a path that leads elsewhere, packed by another method than deflate, or too large when unpacked.
    """
    try:
        archive = zipfile.ZipFile(cast(IO[bytes], _BoundedReads(content)))
    except UNREADABLE as error:
        if not _begins_with_array(content):
            yield ()
            return
        raise FileInvalid(
            f"the file begins like NPZ and its list of members cannot be read ({error}); send it again, whole"
        ) from error
    with archive:
        members = [_member(archive, info) for info in archive.infolist() if info.filename.endswith(ENDING)]
        _check(members)
        yield members


class _BoundedReads:
    """The part of a file that zipfile uses. It reads the list of members at once: more than a MiB of it is cut off."""

    def __init__(self, content: BinaryIO) -> None:
        self.tell = content.tell
        self._content = content

    def read(self, size: int = -1) -> bytes:
        return self._content.read(min(size, DIRECTORY_BYTES) if size >= 0 else DIRECTORY_BYTES)

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset < 0:
            raise zipfile.BadZipFile("a member lies before the file")  # an error of the disk on some files
        return self._content.seek(offset, whence)

    def seekable(self) -> bool:
        return True


def _begins_with_array(content: BinaryIO) -> bool:
    content.seek(0)
    header = content.read(LOCAL_HEADER_BYTES)
    return content.read(int.from_bytes(header[26:28], "little")).endswith(ENDING.encode())


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    what = f"the member {quoted(info.filename)}"
    return Member(info.filename.removesuffix(ENDING), what, info.file_size, archive, info)


def _check(members: Sequence[Member]) -> None:
    if len(members) > MOST_COLUMNS:
        raise FileInvalid(f"the file has {len(members):,} members, and may have {MOST_COLUMNS:,}; send several files")
    names = set[str]()
    for member in members:
        if problem := _problem(member.info):
            raise FileInvalid(f"{member.what} {problem}; write the file with numpy.savez")
        if member.name in names:
            raise FileInvalid(f"{member.what} is there twice; give each member its own name")
        names.add(member.name)
    if (unpacked := sum(member.stored_bytes for member in members)) > UNPACKED_BYTES:
        raise FileInvalid(
            f"the members have {unpacked:,} bytes when unpacked, and may have {UNPACKED_BYTES:,}; send several files"
        )


def _problem(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in STREAMED:
        return "is packed by another method than deflate"
    # orig_filename: zipfile cuts a name at a NUL
    if info.filename.startswith("/") or "\\" in info.orig_filename or ".." in info.filename.split("/"):
        return "has a path that leads elsewhere"
    return None
