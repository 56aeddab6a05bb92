"""A bucket that is away, refuses, or stops in the middle; and how much memory a large content takes."""

import io
import logging
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from gradyard.jobs.errors import ContentMissing, ContentUnavailable, SettingsInvalid
from gradyard.store.files.bucket import DEFAULTS, BucketContents, BucketTimeouts
from tests.servers import free_port
from tests.stack.until import until
from tests.store.files.bucket_server import KEY, SECRET, BucketServer
from tests.store.files.sources import interrupted, zeros

pytestmark = pytest.mark.server

PART = 5 * 2**20
HOUSE = Path(__file__).parents[3]
A_TENTH = BucketTimeouts(*(seconds / 10 for seconds in DEFAULTS))
LONGEST_SECONDS = 30.0  # until a bucket that does not answer is given up; the tests have a tenth of each timeout


def every_use(contents: BucketContents) -> dict[str, Callable[[], object]]:
    """Each method with what it takes."""
    return {
        "prepare": contents.prepare,
        "put": lambda: contents.put("new", io.BytesIO(b"content")),
        "put in parts": lambda: contents.put("new", zeros(PART)),
        "open": lambda: contents.open("a"),
        "delete": lambda: contents.delete("a"),
    }


def refused(use: Callable[[], object]) -> str:
    """What a use says that the bucket refuses, with its cause; that a content is missing would be another thing."""
    begun = time.monotonic()
    with pytest.raises(ContentUnavailable) as raised:
        use()
    assert time.monotonic() - begun < LONGEST_SECONDS
    assert raised.type is ContentUnavailable
    whole = "".join(traceback.format_exception(raised.value, chain=True))
    assert raised.value.__context__ is None
    assert not re.search(f"{KEY}|{SECRET}|password", whole)
    return str(raised.value)


def test_the_timeouts_end_what_hangs_within_half_a_minute() -> None:
    assert 2 * DEFAULTS.answer <= LONGEST_SECONDS
    assert DEFAULTS.retries < DEFAULTS.answer
    assert 2 * DEFAULTS.retries + DEFAULTS.connect <= LONGEST_SECONDS


def test_a_prefix_has_contents_of_its_own(bucket_server: BucketServer, bucket: str) -> None:
    places = [BucketContents(bucket), BucketContents(bucket, "a"), BucketContents(bucket, "a/under_score")]
    for place in places:
        place.prepare()
    for number, contents in enumerate(places):
        contents.put("x", io.BytesIO(str(number).encode()))
    assert [contents.open("x").read() for contents in places] == [b"0", b"1", b"2"]
    assert bucket_server.objects(bucket) == {"x", "a/x", "a/under_score/x"}
    places[0].delete("x")
    assert bucket_server.objects(bucket) == {"a/x", "a/under_score/x"}


def test_another_prefix_is_not_one_whose_files_are_gone(bucket: str) -> None:
    right, wrong = BucketContents(bucket, "right"), BucketContents(bucket, "wrong")
    right.prepare()
    right.put("x", io.BytesIO(b"content"))
    for use in (wrong.open, wrong.delete):
        assert "has no object .gradyard-files" in refused(lambda use=use: use("x"))  # type: ignore[misc]
    right.prepare()
    assert right.open("x").read() == b"content"
    with pytest.raises(ContentMissing):
        right.open("y")


def test_an_upload_that_its_source_interrupts_leaves_nothing_in_the_bucket(
    bucket_server: BucketServer, bucket: str
) -> None:
    contents, seen = BucketContents(bucket), list[int]()

    def look_and_raise() -> None:
        seen.append(bucket_server.unfinished_uploads(bucket))
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        contents.put("a", interrupted(2 * PART, look_and_raise))
    assert (seen, bucket_server.unfinished_uploads(bucket)) == ([1], 0)


def test_a_bucket_that_is_away_is_unavailable(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ENDPOINT_URL", f"http://user:password@127.0.0.1:{free_port()}")
    for use in every_use(BucketContents("bucket", "a", A_TENTH)).values():
        assert refused(use) == (
            "the bucket of files s3://bucket/a cannot be reached: look at AWS_ENDPOINT_URL, its server and the network"
        )


def test_a_host_without_an_address_is_unavailable(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ENDPOINT_URL", "http://nowhere.invalid")
    assert "cannot be reached" in refused(BucketContents("bucket", "", A_TENTH).prepare)


@pytest.fixture
def thawed(bucket_server: BucketServer) -> Iterator[BucketServer]:
    """The server, which a test may freeze."""
    yield bucket_server
    bucket_server.thaw()


def test_a_bucket_that_does_not_answer_is_given_up(thawed: BucketServer, bucket: str) -> None:
    uses = every_use(BucketContents(bucket, "", A_TENTH)).values()
    thawed.freeze()
    with ThreadPoolExecutor(len(uses)) as threads:  # each waits for its own timeout
        assert all("does not answer in time" in said for said in threads.map(refused, uses))


def test_a_reader_goes_on_after_a_bucket_did_not_answer(thawed: BucketServer, bucket: str) -> None:
    BucketContents(bucket).put("a", zeros(PART))
    with BucketContents(bucket, "", A_TENTH).open("a") as opened:

        def reads_all() -> bool:
            opened.seek(0)
            with suppress(ContentUnavailable):  # a busy machine may take longer than a tenth of each timeout
                return opened.read() == bytes(PART)
            return False

        thawed.freeze()
        assert "does not answer in time" in refused(opened.read)
        thawed.thaw()
        until(reads_all)


def test_a_bucket_that_stops_in_the_middle_of_an_upload_is_given_up(thawed: BucketServer, bucket: str) -> None:
    contents, hurried = BucketContents(bucket), BucketContents(bucket, "", A_TENTH)
    contents.prepare()
    assert "does not answer in time" in refused(lambda: hurried.put("a", interrupted(2 * PART, thawed.freeze)))
    thawed.thaw()
    with pytest.raises(ContentMissing):
        contents.open("a")
    contents.put("a", zeros(2 * PART))


def test_credentials_that_the_server_refuses_are_named_without_their_values(
    bucket_server: BucketServer, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    contents = BucketContents(bucket)
    with bucket_server.refusing_unknown_keys():
        for use in every_use(contents).values():
            said = refused(use)
            assert "refuses these credentials: look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
            assert said.endswith(("(InvalidAccessKeyId, 403)", "(403)"))
    assert SECRET not in caplog.text


def test_a_bucket_that_does_not_exist_is_not_one_without_files(aws: pytest.MonkeyPatch) -> None:
    for use in every_use(BucketContents("not-there")).values():
        assert refused(use) == (
            "the bucket of files s3://not-there does not exist: create it, or correct GRADYARD_FILES_URL "
            "(NoSuchBucket, 404)"
        )


def test_without_credentials_the_variables_for_them_are_named(aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_ACCESS_KEY_ID")
    aws.delenv("AWS_SECRET_ACCESS_KEY")
    aws.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{free_port()}")  # of a cloud's machine
    said = refused(BucketContents("bucket", "", A_TENTH).prepare)
    assert "cannot be asked without credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said


def test_an_address_without_tls_must_be_allowed(aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_ALLOW_HTTP")
    assert "has an address without TLS: set AWS_ALLOW_HTTP=true" in refused(BucketContents("bucket").prepare)


def test_a_variable_that_cannot_be_read_is_refused_without_its_value(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ALLOW_HTTP", SECRET)
    with pytest.raises(SettingsInvalid, match="one of the variables AWS_") as raised:
        BucketContents("bucket")
    assert (raised.value.__context__, SECRET in str(raised.value)) == (None, False)


@contextmanager
def server_that_says(status: int, body: str) -> Iterator[tuple[str, list[str]]]:
    """A server that answers everything so, and repeats what it was sent: its address, and what it was asked."""
    asked = list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.requestline)
            answer = f"{body}{self.headers}password".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    for method in ("HEAD", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.do_GET)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "SignatureDoesNotMatch", "refuses these credentials"),
        (403, "RequestTimeTooSkewed", "refuses requests by the clock of this host"),
        (401, "Unauthorized", "refuses these credentials"),
        (400, "AuthorizationHeaderMalformed", "is in another region: correct AWS_REGION"),
        (400, "InvalidRequest", "did not do what it was asked"),
        (404, "NoSuchUpload", "removed parts before all were there"),
        (500, "InternalError", "cannot do it now: try again"),
        (503, "SlowDown", "cannot do it now: try again"),
        (507, "XMinioStorageFull", "cannot do it now: try again"),
    ],
)
def test_what_a_server_says_is_told_by_its_code_alone(
    aws: pytest.MonkeyPatch, status: int, code: str, words: str
) -> None:
    with server_that_says(status, f"<Error><Code>{code}</Code><Message>") as (url, asked):
        aws.setenv("AWS_ENDPOINT_URL", url)
        said = refused(BucketContents("bucket", "", A_TENTH).prepare)
    assert words in said
    assert said.endswith(f"({code}, {status})")
    assert 1 < len(asked) <= 6 if status >= 500 else len(asked) == 1  # what may pass is asked again


def test_a_wrong_region_is_named(aws: pytest.MonkeyPatch) -> None:
    with server_that_says(301, "<Error><Code>PermanentRedirect</Code>") as (url, _):
        aws.setenv("AWS_ENDPOINT_URL", url)
        assert refused(BucketContents("bucket").prepare).endswith("is in another region: correct AWS_REGION")


STREAMED = r"""
import re, sys
from pathlib import Path
from gradyard.store.files.places import contents_at
from tests.store.files.sources import zeros

def most():  # of this program; resource.getrusage counts what started it
    return int(re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[0]) // 1024

contents, length = contents_at(sys.argv[1]), 100 * 2**20
contents.put("small", zeros(1))
contents.open("small").read()
before = most()
contents.put("large", zeros(length))
after_put = most()
with contents.open("large") as content:
    read = 0
    while block := content.read(2**20):
        read += len(block)
after_open = most()
whole = b"x" * length
print(read == length, after_put - before, after_open - before, most() - before)
"""


def test_a_hundred_megabytes_take_a_fraction_of_that_in_memory(in_bucket: BucketContents) -> None:
    command = [sys.executable, "-c", STREAMED, in_bucket.url]
    ended = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=True)
    right, by_put, by_open, of_the_whole = ended.stdout.split()
    assert right == "True"
    assert int(by_put) < 50, ended.stdout
    assert int(by_open) < 50, ended.stdout
    assert int(of_the_whole) > 90, "the measure does not see what lies in memory"


FORKED = """
import os, sys
from gradyard.store.files.places import contents_at

contents = contents_at(sys.argv[1])
contents.prepare()
if os.fork() == 0:
    try:
        contents.prepare()
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
"""


def test_a_forked_process_is_told_so_and_does_not_wait_for_ever(in_bucket: BucketContents) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED, in_bucket.url]
    ended = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == "this process was forked from one that had used a bucket, so it cannot\n"
