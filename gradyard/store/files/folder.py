"""Contents in a folder that all hosts see: on a disk of the only host, or on a share such as NFS."""

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from gradyard.jobs.errors import ContentMissing, ContentUnavailable
from gradyard.store.files.descriptors import (
    FOLDER,
    NEW_FILE,
    OLD_FILE,
    is_taken,
    make_folder,
    opened,
    sync_folder,
    write_all,
)
from gradyard.store.files.folder_errors import StoredFile, unavailable
from gradyard.store.files.names import MARKER, MARKER_TEXT, UNFINISHED, check_name

BLOCK_BYTES = 2**20


class FolderContents:
    """Contents as files of mode 0600 in a folder, and in folders of mode 0700 below it.

    Until `a/b` is stored whole, it is the file `a/b.unfinished`.

    A folder without its marker is taken for the mount point of a share that is away: nothing is stored there, and no
    content is said to be missing. Symbolic links below the folder are not followed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder, in one that is there, and its marker; both may be there already.

        Only where nothing was ever stored: else a share that is away would be taken for a new folder. Raises
        ContentUnavailable.
        """
        with self._explained(), contextlib.suppress(FileExistsError):
            self.folder.mkdir(mode=0o700)
        with self._explained(), opened(self.folder, FOLDER) as root:
            with contextlib.suppress(FileExistsError), opened(MARKER, NEW_FILE, 0o644, above=root) as marker:
                os.write(marker, MARKER_TEXT)
                os.fsync(marker)
            sync_folder(root)

    def put(self, name: str, content: BinaryIO) -> None:
        """Store all that can be read of `content`; whole or not at all, also where the machine stops in the middle.

        What reading `content` raises is raised on. Raises ContentUnavailable, also where the name is deleted meanwhile,
        and ValueError where the name is none. Raises FileExistsError where there is a content of that name, or where
        another `put` of it is under way or left its unfinished file, which `delete` removes.
        """
        check_name(name)
        last = PurePosixPath(name).name
        with self._inside(name, create=True) as folder:
            file = self._begun(name, folder)
            try:
                with file:
                    # A look and a rename, since some shares have no hard links: who made the unfinished file is alone.
                    with self._explained():
                        if is_taken(last, folder):
                            raise FileExistsError(f"a content named {name} is stored already")
                    self._fill(file, content)
                with self._explained():
                    os.rename(last + UNFINISHED, last, src_dir_fd=folder, dst_dir_fd=folder)
                    sync_folder(folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(last + UNFINISHED, dir_fd=folder)
                raise

    def _begun(self, name: str, folder: int) -> io.FileIO:
        """The unfinished file, made by this call: not one that is there already, which another `put` may write to."""
        with self._explained():
            try:
                unfinished = PurePosixPath(name).name + UNFINISHED
                return io.FileIO(os.open(unfinished, NEW_FILE, 0o600, dir_fd=folder), "wb")
            except FileExistsError:
                raise FileExistsError(
                    f"a content named {name} is being stored, or an interrupted put left its unfinished file"
                ) from None

    def _fill(self, file: io.FileIO, content: BinaryIO) -> None:
        while block := content.read(BLOCK_BYTES):
            with self._explained():
                write_all(file, block)
        with self._explained():
            os.fsync(file.fileno())
            file.close()  # a share may say only now that it is full

    def open(self, name: str) -> BinaryIO:
        """The content, to be read and closed.

        Raises ContentMissing where there is none of that name, ContentUnavailable, also when it is read, and
        ValueError where the name is none.
        """
        check_name(name)
        with self._inside(name) as folder, self._explained(name):
            descriptor = os.open(PurePosixPath(name).name, OLD_FILE, dir_fd=folder)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise FileNotFoundError
        return io.BufferedReader(StoredFile(descriptor, self.folder), BLOCK_BYTES)

    def delete(self, name: str) -> None:
        """Delete the content, if it is there, and the unfinished file of an interrupted `put` of it; folders stay.

        They are gone for good, also where the machine stops at once. A `put` of it that is still under way is refused
        at its end. Raises ContentUnavailable, and ValueError where the name is none.
        """
        check_name(name)
        last = PurePosixPath(name).name
        with contextlib.suppress(ContentMissing), self._inside(name) as folder, self._explained():
            for each in (last + UNFINISHED, last):  # the content last: until the other goes, a put may make it
                with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                    os.unlink(each, dir_fd=folder)
            sync_folder(folder)

    @contextlib.contextmanager
    def _inside(self, name: str, *, create: bool = False) -> Iterator[int]:
        """The folder of the content's file, each folder on the way opened by the one above: links lead nowhere."""
        with contextlib.ExitStack() as stack:
            here = stack.enter_context(self._root())
            with self._explained(None if create else name):
                for part in PurePosixPath(name).parts[:-1]:
                    if create:
                        make_folder(part, here)
                    here = stack.enter_context(opened(part, FOLDER | os.O_NOFOLLOW, above=here))
            yield here

    @contextlib.contextmanager
    def _root(self) -> Iterator[int]:
        """The folder itself. Raises ContentUnavailable where it, or its marker, is not there."""
        with contextlib.ExitStack() as stack:
            with self._explained():
                try:
                    root = stack.enter_context(opened(self.folder, FOLDER))
                    os.stat(MARKER, dir_fd=root)
                except FileNotFoundError:
                    raise ContentUnavailable(
                        f"the folder of files {self.folder} is not there, or its file {MARKER} is not: mount what has "
                        "it, or make it if no file was ever stored there"
                    ) from None
            yield root

    @contextlib.contextmanager
    def _explained(self, name: str | None = None) -> Iterator[None]:
        """Errors of the system in words, but for FileExistsError. name: of the content that is missing by ENOENT."""
        try:
            yield
        except FileExistsError:
            raise
        except OSError as error:
            if name is not None and isinstance(error, FileNotFoundError):
                raise ContentMissing(f"the folder of files {self.folder} has no content named {name}") from None
            raise unavailable(self.folder, error) from error
