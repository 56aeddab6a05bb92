"""The place that GRADYARD_FILES_URL names."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from gradyard.jobs.errors import SettingsInvalid
from gradyard.store.files.contents import Contents
from gradyard.store.files.folder import FolderContents

BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
PREFIX = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*(/|$))*")
USE = "write the absolute path of a folder that all hosts see, file:///PATH, or s3://BUCKET/PREFIX"


class Bucket(NamedTuple):
    """A bucket, and what the names of all contents in it begin with; it may be empty."""

    name: str
    prefix: str


def contents_at(url: str) -> Contents:
    """The contents that are kept there. Nothing is asked of the place yet.

    Raises SettingsInvalid where the URL is none that GRADYARD_FILES_URL may have, where it names a bucket and the extra
    `files` is not installed, and where the variables `AWS_*` for it cannot be read.
    """
    place = check_files_url(url)
    if isinstance(place, Path):
        return FolderContents(place)
    try:
        from gradyard.store.files.bucket import BucketContents
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            f"GRADYARD_FILES_URL: a bucket needs {error.name}, which is not installed: pip install 'gradyard[files]'"
        ) from None
    return BucketContents(place.name, place.prefix)


def check_files_url(url: str) -> Path | Bucket:
    """What the URL names, looked at as a text alone.

    Raises SettingsInvalid, without the URL in it: in a wrong one there may be a password.
    """
    if url.startswith("/"):
        return Path(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SettingsInvalid(f"GRADYARD_FILES_URL is no URL; {USE}") from None
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingsInvalid(f"GRADYARD_FILES_URL has a user, a query or a fragment; {USE}")
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/") and "%00" not in parts.path:
        return Path(unquote(parts.path))
    prefix = parts.path.strip("/")
    if parts.scheme == "s3" and BUCKET.fullmatch(parts.netloc) and PREFIX.fullmatch(prefix):
        return Bucket(parts.netloc, prefix)
    raise SettingsInvalid(f"GRADYARD_FILES_URL is not understood; {USE}")
