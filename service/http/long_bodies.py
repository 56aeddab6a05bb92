"""Bodies that may be longer than one of JSON, each as a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from gradyard.jobs.errors import BodyMalformed

IN_MEMORY_BYTES, CHUNK_BYTES = 2**20, 2**16


@contextmanager
def long_body(most: int, what_to_send: str) -> Iterator[IO[bytes]]:
    """The request's body as a file, in memory up to IN_MEMORY_BYTES; 413 where it has more than `most` bytes.

    Raises BodyMalformed where there is none: it says what to send.
    """
    size, request.max_content_length = 0, most + 1
    with SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
        while chunk := request.stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > most:
                raise RequestEntityTooLarge
            file.write(chunk)
        if not size:
            raise BodyMalformed(f"there is no body; {what_to_send}")
        file.seek(0)
        yield file
