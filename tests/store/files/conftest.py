"""An S3 server for the tests of this folder, and both kinds of places."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from gradyard.store.files.bucket import BucketContents
from gradyard.store.files.contents import Contents
from gradyard.store.files.folder import FolderContents
from tests.store.files.bucket_server import BucketServer


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[BucketServer]:
    """The server of this test process."""
    with BucketServer.start() as server:
        yield server


@pytest.fixture
def aws(bucket_server: BucketServer, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The variables of the server in the environment of the test, which may change them."""
    for name, value in bucket_server.environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def bucket(bucket_server: BucketServer, aws: pytest.MonkeyPatch) -> str:
    """The name of a new bucket."""
    name = f"files-{uuid4()}"
    bucket_server.make_bucket(name)
    return name


@pytest.fixture
def in_bucket(bucket: str) -> BucketContents:
    """Contents below a prefix of a new bucket."""
    contents = BucketContents(bucket, "of/gradyard")
    contents.prepare()
    return contents


@pytest.fixture
def in_folder(tmp_path: Path) -> FolderContents:
    """Contents in a new folder."""
    contents = FolderContents(tmp_path / "files")
    contents.prepare()
    return contents


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.server)])
def contents(request: pytest.FixtureRequest) -> Contents:
    """Contents in each kind of place."""
    of: Contents = request.getfixturevalue(f"in_{request.param}")
    return of
