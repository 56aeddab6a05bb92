"""A file is received: its body is read once, known by its hash, looked through, and stored where it belongs."""

from contextlib import closing, suppress
from typing import IO, BinaryIO, cast
from uuid import uuid4

from werkzeug.exceptions import RequestEntityTooLarge

from gradyard.jobs.errors import ContentMissing, ContentUnavailable, NotFound
from gradyard.jobs.files.read import facts_of
from gradyard.store.files.claims import claim, delete_content, give_up, is_prepared, note_prepared, note_upload
from gradyard.store.files.contents import Contents
from gradyard.store.files.reading import copied
from gradyard.store.files.rows import IN_SQL_BYTES, NewFile, store_file, touch_file
from gradyard.store.retention.quota import check_storage_quota
from service.http.access.callers import current_caller
from service.http.services import current_services


def store_upload(body: IO[bytes], name: str | None) -> tuple[str, bool]:
    """Store the file in the caller's project. Returns its id, and whether it is new there.

    Raises FileInvalid where it begins like a table and is none, RequestEntityTooLarge where this service keeps small
    files alone, StorageQuotaExceeded, and ContentUnavailable where the place of larger files takes none now.
    """
    content = cast(BinaryIO, body)
    sha256 = copied(content, lambda _: None)
    size = content.tell()
    content.seek(0)
    if _is_stored(sha256, content):
        return sha256, False
    _check_room(size)
    facts = facts_of(content)
    content.seek(0)
    if size <= IN_SQL_BYTES:
        return sha256, _stored(NewFile(sha256, size, facts, name, content=content.read()))
    place = _placed(sha256, content)
    try:
        is_new = _stored(NewFile(sha256, size, facts, name, place=place))
    except ContentUnavailable:  # after a day its note is gone, so nothing else would delete it
        _larger_files().delete(place)
        raise
    if not is_new:  # another request with these bytes came first
        with suppress(ContentUnavailable):  # maintenance tries again
            delete_content(current_services().database, _larger_files(), place)
    return sha256, is_new


def _is_stored(sha256: str, content: BinaryIO) -> bool:
    """Whether the project has the file. If its content was lost, it is stored anew from this one."""
    database, project_id = current_services().database, current_caller().project_id
    try:
        with database.begin() as connection:
            place = touch_file(connection, project_id, sha256)
    except NotFound:
        return False
    if place is not None and _is_lost(place, sha256):
        anew = _placed(sha256, content)
        with database.begin() as connection:
            was = touch_file(connection, project_id, sha256, anew)
            claim(connection, anew)
            if was is not None:  # by now it may be what another upload has put in the place of the lost one
                give_up(connection, was)
    return True


def _is_lost(place: str, sha256: str) -> bool:
    """Whether the content is gone, or another one than it was."""
    try:
        with closing(_larger_files().open(place)) as kept:
            return copied(kept, lambda _: None) != sha256
    except ContentMissing:
        return True


def _placed(sha256: str, content: BinaryIO) -> str:
    """Keep the content, and return the name by which it is kept.

    Each upload has a name of its own: what deletes an older upload of these bytes cannot meet this one.
    """
    place, contents = f"{current_caller().project_id}/{sha256}-{uuid4().hex}", _larger_files()
    with current_services().database.read() as connection:
        is_first = not is_prepared(connection)
    if is_first:
        contents.prepare()
    with current_services().database.begin() as connection:
        if is_first:
            note_prepared(connection)
        note_upload(connection, place)
    contents.put(place, content)
    return place


def _larger_files() -> Contents:
    contents = current_services().files.contents
    if contents is None:
        raise RequestEntityTooLarge(
            f"this service keeps files of up to {IN_SQL_BYTES:,} bytes; its operator lets it keep larger ones by "
            "GRADYARD_FILES_URL"
        )
    return contents


def _check_room(size: int) -> None:
    services = current_services()
    if (most := services.settings.max_stored_bytes) is not None:
        with services.database.read() as connection:
            check_storage_quota(connection, current_caller().project_id, most, more=size)


def _stored(new: NewFile) -> bool:
    caller = current_caller()
    with current_services().database.begin() as connection:
        is_new = store_file(connection, caller.project_id, new, actor=caller.actor)
        if is_new and new.place is not None:
            claim(connection, new.place)
        return is_new
