"""What GRADYARD_FILES_URL may be."""

import subprocess
import sys
from pathlib import Path

import pytest

from gradyard.jobs.errors import SettingsInvalid
from gradyard.store.files.bucket import BucketContents
from gradyard.store.files.folder import FolderContents
from gradyard.store.files.places import Bucket, check_files_url, contents_at


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("/srv/files", Path("/srv/files")),
        ("/srv/a folder #1?", Path("/srv/a folder #1?")),
        ("file:///srv/files", Path("/srv/files")),
        ("file:///srv/a%20folder", Path("/srv/a folder")),
        ("s3://bucket", Bucket("bucket", "")),
        ("s3://bucket/", Bucket("bucket", "")),
        ("s3://my.bucket-1/of/the_lab/", Bucket("my.bucket-1", "of/the_lab")),
    ],
)
def test_a_place_is_a_folder_or_a_bucket(url: str, place: Path | Bucket) -> None:
    assert check_files_url(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "", "files", "./files", "~/files", "file://host/files", "file:files", "file:///a%00b", "s3://", "s3:///prefix",
        "s3://b", "s3://bucket/../other", "s3://bucket/a//b", "s3://bucket/a b", "s3://bucket:9000/a",
        "s3://KEY:SECRET@bucket/prefix", "s3://bucket/prefix?secret=SECRET", "s3://bucket#SECRET", "gs://bucket",
        "https://SECRET@s3.example.org/bucket", "http://[SECRET",
    ],
)  # fmt: skip
def test_anything_else_is_refused_by_a_sentence_that_says_what_to_write_and_shows_no_secret(url: str) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        contents_at(url)
    said = str(raised.value)
    assert said.startswith("GRADYARD_FILES_URL ")
    assert said.endswith("write the absolute path of a folder that all hosts see, file:///PATH, or s3://BUCKET/PREFIX")
    assert "SECRET" not in said


def test_a_url_makes_contents_without_asking_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = contents_at((tmp_path / "away").as_uri())
    assert isinstance(folder, FolderContents)
    assert folder.folder == tmp_path / "away"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    bucket = contents_at("s3://bucket/a/")
    assert isinstance(bucket, BucketContents)
    assert bucket.url == "s3://bucket/a"


WITHOUT_OBSTORE = """
import sys
sys.modules["obstore"] = None
from gradyard.jobs.errors import SettingsInvalid
from gradyard.store.files.places import check_files_url, contents_at

contents_at("/srv/files"), check_files_url("s3://bucket")
try:
    contents_at("s3://bucket")
except SettingsInvalid as error:
    print(error)
"""


def test_without_the_extra_a_folder_works_and_a_bucket_names_it() -> None:
    ended = subprocess.run([sys.executable, "-c", WITHOUT_OBSTORE], capture_output=True, text=True, check=True)
    assert ended.stdout == (
        "GRADYARD_FILES_URL: a bucket needs obstore, which is not installed: pip install 'gradyard[files]'\n"
    )


def test_a_folder_does_not_load_obstore() -> None:
    code = "import sys; from gradyard.store.files.places import contents_at; contents_at('/srv/files'); "
    subprocess.run([sys.executable, "-c", f"{code} assert 'obstore' not in sys.modules"], check=True)
