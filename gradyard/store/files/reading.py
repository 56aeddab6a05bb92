"""The content of stored files, checked by its hash, and the numbers of their columns."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from io import BytesIO
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, Any, BinaryIO, cast

from sqlalchemy import Row

from gradyard.jobs.errors import ContentMissing, ContentUnavailable
from gradyard.jobs.files.facts import FileFormat
from gradyard.jobs.files.read import numbers_of
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.file_data import XAndY
from gradyard.store.database import Database
from gradyard.store.files.contents import Contents
from gradyard.store.files.places import contents_at
from gradyard.store.files.rows import IN_SQL_BYTES, content_in_sql, file_of

KEPT = 4  # pairs of columns in memory, up to 16 MB each; the jobs of a sweep share one
CHUNK_BYTES = 2**20


class FileReader:
    """Reads stored files. One for each process; threads share it.

    contents: where larger files are kept; None where this process was not told.
    """

    def __init__(self, database: Database, contents: Contents | None) -> None:
        self.contents = contents
        self._database = database
        self._kept: OrderedDict[tuple[str, str, str], XAndY] = OrderedDict()
        self._lock, self._decoding = threading.Lock(), threading.Lock()

    @classmethod
    def of(cls, settings: Settings, database: Database) -> "FileReader":
        """The reader for these settings. Raises SettingsInvalid where GRADYARD_FILES_URL is wrong."""
        return cls(database, cls.contents_of(settings))

    @staticmethod
    def contents_of(settings: Settings) -> Contents | None:
        """Where larger files are kept; None where the settings do not say. Raises SettingsInvalid as `of` does."""
        return contents_at(settings.files_url) if settings.files_url else None

    def x_and_y(self, file: Row[Any], x: str, y: str) -> XAndY:
        """Two columns of a file, given as its row. The arrays are shared: they are not to be written.

        Raises ContentUnavailable where its content cannot be read now, ContentMissing where it is gone or another one,
        FileInvalid where it has no such columns.
        """
        key = file.sha256, x, y
        if (known := self._known(key)) is not None:
            return known
        with self._decoding:  # of requests that name the same columns at once, the first reads them
            if (known := self._known(key)) is not None:
                return known
            with closing(self.content(file)) as content:
                numbers = numbers_of(content, FileFormat(file.format), [x, y], file.rows)
            for array in numbers.values():
                array.flags.writeable = False
            found = XAndY(numbers[x], numbers[y])
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return found

    def _known(self, key: tuple[str, str, str]) -> XAndY | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def by_id(self, project_id: int, sha256: str) -> Row[Any]:
        """The row of a file. Raises NotFound where the project has none of that id."""
        with self._database.read() as connection:
            return file_of(connection, project_id, sha256)

    def content(self, file: Row[Any]) -> BinaryIO:
        """The whole content of a file, given as its row: to be read from its beginning, and closed.

        Raises ContentUnavailable where it cannot be read now, ContentMissing where it is gone or another one.
        """
        if file.place is None:
            return self._from_sql(file)
        if self.contents is None:
            raise ContentUnavailable(
                f"the file {file.sha256} is kept outside the database, and GRADYARD_FILES_URL is not set on this host"
            )
        with _told_of_the_disk(), ExitStack() as opened:
            copy = opened.enter_context(SpooledTemporaryFile(IN_SQL_BYTES))
            with closing(self._opened(file, self.contents)) as source:
                if copied(source, copy.write) != file.sha256:
                    raise ContentMissing(f"the content that is kept of the file {file.sha256} is another one")
            copy.seek(0)
            opened.pop_all()  # the caller closes it
        return cast(BinaryIO, copy)

    @staticmethod
    def _opened(file: Row[Any], contents: Contents) -> BinaryIO:
        try:
            return contents.open(file.place)
        except ContentMissing as error:
            raise ContentMissing(f"the content of the file {file.sha256} is no longer where it was kept") from error

    def _from_sql(self, file: Row[Any]) -> BinaryIO:
        with self._database.read() as connection:
            content = content_in_sql(connection, file.project_id, file.sha256)
        if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
            raise ContentMissing(f"the content of the file {file.sha256} is no longer in the database")
        return BytesIO(content)


@contextmanager
def _told_of_the_disk() -> Iterator[None]:
    """Raise ContentUnavailable where the folder for temporary files takes no more."""
    try:
        yield
    except OSError as error:
        where = (
            f"{gettempdir()}, the folder for temporary files of this host, takes no file ({error.strerror or error})"
        )
        raise ContentUnavailable(where) from None


def copied(source: IO[bytes], write: Callable[[bytes], object]) -> str:
    """Read all of the source, write it in pieces, and return its SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        write(chunk)
    return digest.hexdigest()
