"""What both kinds of places promise."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from gradyard.jobs.errors import ContentMissing
from gradyard.store.files.bucket import BucketContents
from gradyard.store.files.contents import Contents
from gradyard.store.files.folder import FolderContents
from gradyard.store.files.names import MARKER
from tests.store.files.sources import interrupted, raising, zeros
from tests.store.files.test_folder import files_in

PART = 5 * 2**20
HOUSE = Path(__file__).parents[3]
NOT_NAMES = (
    "", ".", "..", "../a", "a/../b", "/a", "a/", "a//b", ".a", "a/.b", "-a", "a b", "a\n", "a\0", "é", "a_b",
    "a.unfinished", "a/b.unfinished", "a.unfinished/b",
)  # fmt: skip


def url_of(contents: Contents) -> str:
    assert isinstance(contents, BucketContents | FolderContents)
    return contents.url if isinstance(contents, BucketContents) else str(contents.folder)


def stored(contents: Contents) -> list[str]:
    """The names of all that lies in the place but its marker, of us or of others."""
    if isinstance(contents, BucketContents):
        found = (each["path"] for each in obstore.list(S3Store.from_url(url_of(contents))).collect())
        return sorted(name for name in found if name != MARKER)
    return files_in(Path(url_of(contents)))


def read(contents: Contents, name: str) -> bytes:
    with contents.open(name) as content:
        return content.read()


@pytest.mark.parametrize("length", [0, 1, PART - 1, PART, PART + 1, 2 * PART + 12_345])
def test_what_was_put_is_read_again(contents: Contents, length: int) -> None:
    content = os.urandom(length)
    contents.put("7/ab/content", io.BytesIO(content))
    assert read(contents, "7/ab/content") == content


def test_a_content_can_be_read_in_pieces_and_sought_in(contents: Contents) -> None:
    content = os.urandom(2 * PART)
    contents.put("a", io.BytesIO(content))
    with contents.open("a") as opened:
        assert opened.read(10) == content[:10]
        assert opened.seek(-10, io.SEEK_END) == 2 * PART - 10
        assert opened.read() == content[-10:]
        assert (opened.read(), opened.read(5)) == (b"", b"")
        assert opened.seek(PART - 3) == PART - 3
        assert (opened.read(7), opened.tell()) == (content[PART - 3 : PART + 4], PART + 4)


def test_a_source_may_come_in_pieces_as_small_as_it_likes(contents: Contents) -> None:
    contents.put("a", io.BytesIO(bytes(PART + 100)))
    contents.put("b", zeros(PART + 100))
    assert read(contents, "a") == read(contents, "b") == bytes(PART + 100)


@pytest.mark.parametrize("length", [0, 1000, 3 * PART], ids=["at once", "in the first part", "in a later part"])
@pytest.mark.parametrize(
    "error", [ConnectionResetError("the client is gone"), FileNotFoundError("of the source"), KeyboardInterrupt()]
)
def test_of_a_source_that_raises_nothing_is_stored(contents: Contents, length: int, error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        contents.put("a", interrupted(length, raising(error)))
    assert raised.value is error
    assert stored(contents) == []
    with pytest.raises(ContentMissing, match="has no content named a"):
        contents.open("a")
    contents.put("a", io.BytesIO(b"now"))
    assert read(contents, "a") == b"now"


def test_a_name_is_stored_once(contents: Contents) -> None:
    contents.put("a/b", io.BytesIO(b"first"))
    with pytest.raises(FileExistsError, match="a content named a/b is stored already"):
        contents.put("a/b", io.BytesIO(b"second"))
    assert (stored(contents), read(contents, "a/b")) == (["a/b"], b"first")


def test_what_was_never_put_is_missing(contents: Contents) -> None:
    contents.put("a/b", io.BytesIO(b"content"))
    for name in ("c", "a", "a/c", "a/b.c", "d/e/f"):
        with pytest.raises(ContentMissing, match=f"has no content named {name}$"):
            contents.open(name)


def test_a_content_is_deleted_once_or_twice(contents: Contents) -> None:
    contents.put("a/b", io.BytesIO(b"content"))
    contents.delete("a/b")
    contents.delete("a/b")
    contents.delete("never/there")
    assert stored(contents) == []
    with pytest.raises(ContentMissing):
        contents.open("a/b")


def test_a_content_that_is_deleted_while_it_is_read_ends_whole_or_in_an_error(contents: Contents) -> None:
    content = os.urandom(2 * PART)
    contents.put("a", io.BytesIO(content))
    with contents.open("a") as opened:
        begun = opened.read(10)
        contents.delete("a")
        with contextlib.suppress(ContentMissing):
            assert begun + opened.read() == content


@pytest.mark.parametrize("name", NOT_NAMES)
def test_what_is_no_name_is_refused(contents: Contents, name: str) -> None:
    asked: list[Callable[[], object]] = [
        lambda: contents.put(name, io.BytesIO(b"content")),
        lambda: contents.open(name),
        lambda: contents.delete(name),
    ]
    for ask in asked:
        with pytest.raises(ValueError, match="is no name of a stored content"):
            ask()


def test_a_long_name_is_one_up_to_two_hundred_characters_a_part(contents: Contents) -> None:
    name = "/".join(["x" * 200] * 3)
    contents.put(name, io.BytesIO(b"content"))
    assert (stored(contents), read(contents, name)) == ([name], b"content")
    with pytest.raises(ValueError, match="is no name"):
        contents.open("x" * 201)


PUT_AND_WAIT = """
import sys, time
from gradyard.store.files.places import contents_at
from tests.store.files.sources import interrupted

def wait():
    print("in the middle", flush=True)
    time.sleep(600)

contents_at(sys.argv[1]).put("a/b", interrupted(12 * 2**20, wait))
"""


def test_of_a_process_killed_in_the_middle_nothing_is_stored_and_delete_leaves_nothing(contents: Contents) -> None:
    command = [sys.executable, "-c", PUT_AND_WAIT, url_of(contents)]
    process = subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"in the middle\n"
        process.kill()
    with pytest.raises(ContentMissing):
        contents.open("a/b")
    assert "a/b" not in stored(contents)
    contents.delete("a/b")
    assert stored(contents) == []
    contents.put("a/b", io.BytesIO(b"again"))
    assert read(contents, "a/b") == b"again"
