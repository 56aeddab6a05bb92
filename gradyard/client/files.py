"""Requests of the Client for files: sent in as data, listed, looked at, fetched, deleted."""

import os
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, Noun, asks, verb
from gradyard.client.identities import FileLike, file_path
from gradyard.client.lists import ListOf, lists
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import File

LONGEST_NAME = 200
TRANSFER_SECONDS = 120.0  # for 64 MiB there or back, beside what the service does with them


class FileRequests(BaseClient[K]):
    """Send files in, and look at, fetch and delete them. To send in and to delete needs the scope `files:write`."""

    @cached_property
    def files(self) -> "Files[K]":
        """The files. `client.files()` lists them, `client.files.upload(path)` is `client.upload(path)`."""
        return Files(self)

    @asks
    async def upload(self, file: str | os.PathLike[str] | bytes | BinaryIO, *, name: str | None = None) -> File:
        """Send a file in: a path, its bytes, or an open binary file. Jobs are trained on two of its columns.

        `client.submit(stage="nn", dataset=file.dataset(x="speed", y="dist"))`. CSV (with a header), NPY, NPZ and
        Parquet are known by their content. The same bytes sent again are the same file, so nothing is stored twice.
        name: for people; default: the name of the file. Raises OSError where the file cannot be read.
        """
        content, found = _content_and_name(file)
        params = {"name": name or found}
        headers = {"Content-Type": "application/octet-stream"}
        answer = await self._transport.ask_json(
            "POST", "/v1/files", body=content, headers=headers, params=params, hold_seconds=TRANSFER_SECONDS
        )
        return self._one(File, answer)

    @asks
    async def file(self, file: FileLike) -> File:
        """The file as it is now: its form, its columns, its first rows, and how many jobs are trained on it."""
        return self._one(File, await self._transport.ask_json("GET", file_path(file)))

    @asks
    async def file_content(self, file: FileLike) -> bytes:
        """The bytes of the file as they were sent in."""
        path = file_path(file) + "/content"
        return (await self._transport.ask("GET", path, hold_seconds=TRANSFER_SECONDS)).content

    @asks
    async def delete_file(self, file: FileLike) -> None:
        """Delete the file. Refused while jobs are trained on it, ended ones included."""
        await self._transport.ask("DELETE", file_path(file))


class Files(Noun[K]):
    """The files of a project. Called, it lists them; its verbs take a file, its id, or a beginning of that."""

    upload, get = verb(FileRequests.upload), verb(FileRequests.file)
    content, delete = verb(FileRequests.file_content), verb(FileRequests.delete_file)

    @lists
    def __call__(self, *, limit: int | None = None) -> ListOf[File]:
        """Iterate over the files, the last uploaded first, at most `limit`."""
        return ListOf(File, "files", {}, limit)


def _content_and_name(file: str | os.PathLike[str] | bytes | BinaryIO) -> tuple[bytes, str | None]:
    if isinstance(file, bytes):
        return file, None
    if isinstance(file, str | os.PathLike):
        return Path(file).read_bytes(), _shown(file)
    named = getattr(file, "name", None)
    return file.read(), _shown(named) if isinstance(named, str) else None


def _shown(path: str | os.PathLike[str]) -> str:
    """The name of a file as people can see it, whatever its bytes are."""
    name = os.fsencode(Path(path).name).decode("utf-8", "replace")
    return one_line(name)[-LONGEST_NAME:]
