"""Contents in an S3 bucket, by obstore. Importing this needs the extra `files`."""

import contextlib
import io
import itertools
import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO, ClassVar, NamedTuple, ParamSpec, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from gradyard.jobs.errors import ContentMissing, ContentUnavailable, SettingsInvalid
from gradyard.store.files.bucket_errors import is_missing_object, unavailable
from gradyard.store.files.names import MARKER, MARKER_TEXT, check_name
from gradyard.store.files.pieces import PART_BYTES, RANGE_BYTES, Parts, Ranges

PARTS_AT_ONCE = 2

P = ParamSpec("P")
R = TypeVar("R")


class BucketTimeouts(NamedTuple):
    """How long a bucket may take, in seconds.

    One that stops answering is given up after `answer` where nothing was begun, after twice that in the middle of a
    `put`, which then asks for its parts to be removed.
    """

    connect: float = 4.0
    answer: float = 12.0  # to a part of 5 MiB too, from its first byte on
    request: float = 30.0  # as a whole, where its answer comes drop by drop
    retries: float = 10.0  # nothing is asked again after that; less than `answer`, so what was waited for is not
    first_pause: float = 0.2  # before it is asked again; doubled each time


DEFAULTS = BucketTimeouts()


class BucketContents:
    """Contents as objects of an S3 bucket.

    Credentials, region and address are those of the environment variables `AWS_*` when this is made; `~/.aws` is not
    read. They must be allowed to list, get, put and delete, and to abort multipart uploads. The bucket needs a
    lifecycle rule that removes incomplete multipart uploads: of a `put` that was killed it keeps the parts. Not to be
    used in a process and in one that was forked from it afterwards.
    """

    asked_in: ClassVar[int | None] = None  # the process that obstore's threads are in

    def __init__(self, bucket: str, prefix: str = "", timeouts: BucketTimeouts = DEFAULTS) -> None:
        """Raises SettingsInvalid where the variables cannot be read."""
        self.url = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        store: S3Store | None = None
        with contextlib.suppress(BaseError):  # whose text may have what a variable holds
            store = S3Store(bucket, prefix=prefix or None, config=_limits(timeouts), retry_config=_retries(timeouts))
        if store is None:
            raise SettingsInvalid("GRADYARD_FILES_URL: one of the variables AWS_* has a value that obstore cannot read")
        self._store = store

    def prepare(self) -> None:
        """Put the marker, which may be there already. Raises ContentUnavailable where the bucket takes none.

        Only where nothing was ever stored: else a wrong prefix would be taken for a new place.
        """
        self._ask(obstore.put, self._store, MARKER, MARKER_TEXT)

    def put(self, name: str, content: BinaryIO) -> None:
        """Store all that can be read of `content`; whole or not at all, also where the process ends in the middle.

        What reading `content` raises is raised on. Raises ContentUnavailable, FileExistsError where there is a content
        of that name, and ValueError where the name is none. `content` has at most 48 GiB, 10,000 parts. Where the
        process ends in the middle, the bucket keeps the parts that it has: they are not shown as an object, and its
        lifecycle rule for incomplete multipart uploads removes them.
        """
        check_name(name)
        if self._size(name) is not None:
            raise FileExistsError(f"a content named {name} is stored already")
        parts = Parts(content)
        first = next(parts, b"")
        put = partial(obstore.put, self._store, name, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        try:
            self._ask(put, first if len(first) < PART_BYTES else itertools.chain([first], parts))
        except BaseException:
            if parts.error is not None:
                raise parts.error from None
            raise

    def open(self, name: str) -> BinaryIO:
        """The content, to be read and closed. It can be sought in, and a slow reader holds no connection.

        Raises ContentMissing where there is none of that name, ContentUnavailable, also when it is read, and
        ValueError where the name is none.
        """
        check_name(name)
        size = self._size(name)
        if size is None:
            self._check_marker()  # the answer to HEAD does not tell whether this is the bucket and the prefix at all
            raise ContentMissing(f"the bucket of files {self.url} has no content named {name}")
        return io.BufferedReader(Ranges(partial(self._range, name), size), RANGE_BYTES)

    def delete(self, name: str) -> None:
        """Delete the content, if it is there. Raises ContentUnavailable, and ValueError where the name is none.

        The parts of an interrupted `put` are not shown by that name and stay, until the bucket's lifecycle rule for
        incomplete multipart uploads removes them. A `put` that is still under way is not ended by this.
        """
        check_name(name)
        self._check_marker()
        with contextlib.suppress(ContentMissing):
            self._ask(obstore.delete, self._store, name)

    def _check_marker(self) -> None:
        """Raise ContentUnavailable where the marker is missing: another prefix or bucket than that of the contents."""
        if self._size(MARKER) is None:
            self._ask(next, obstore.list(self._store), None)  # which tells whether there is such a bucket
            raise ContentUnavailable(
                f"the bucket of files {self.url} has no object {MARKER}, so no file was ever stored there: look at "
                "GRADYARD_FILES_URL"
            )

    def _size(self, name: str) -> int | None:
        """How many bytes the content has; None where there is none of that name."""
        try:
            return self._ask(obstore.head, self._store, name)["size"]
        except ContentMissing:
            return None

    def _range(self, name: str, start: int, length: int) -> memoryview:
        return memoryview(self._ask(obstore.get_range, self._store, name, start=start, length=length))

    def _ask(self, call: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        if BucketContents.asked_in not in (None, os.getpid()):
            # It would wait for threads that a fork does not copy, for ever.
            raise RuntimeError("this process was forked from one that had used a bucket, so it cannot")
        BucketContents.asked_in = os.getpid()
        missing = False
        try:
            return call(*arguments, **named)
        except FileNotFoundError as error:
            said = str(error)
            missing = is_missing_object(said)
        except BaseError as error:
            said = str(error)
        # Not in the except clause: what obstore said would be the cause of ours, and in every log of it.
        if missing:
            raise ContentMissing(f"the bucket of files {self.url} does not have the object")
        raise unavailable(self.url, said)


def _limits(timeouts: BucketTimeouts) -> Any:
    """A part of S3Store's `config`: its `client_options` would replace those of the environment, AWS_ALLOW_HTTP too."""
    seconds = {
        "connect_timeout": timeouts.connect,
        "read_timeout": timeouts.answer,
        "timeout": timeouts.request,
    }
    return {name: f"{value * 1000:.0f}ms" for name, value in seconds.items()}


def _retries(timeouts: BucketTimeouts) -> Any:
    backoff = {
        "init_backoff": timedelta(seconds=timeouts.first_pause),
        "max_backoff": timedelta(seconds=timeouts.retries / 3),
        "base": 2,
    }
    return {"max_retries": 5, "retry_timeout": timedelta(seconds=timeouts.retries), "backoff": backoff}
