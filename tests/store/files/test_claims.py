"""Contents that belong to no file are deleted: of uploads that broke off, and of files that are gone. No others are."""

from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import update

from gradyard.jobs.errors import ContentMissing, ContentUnavailable
from gradyard.store.database import Database
from gradyard.store.files import claims, rows
from gradyard.store.files.folder import FolderContents
from gradyard.store.files.rows import NewFile
from gradyard.store.files.unused import forget_unused
from gradyard.store.tables import UnclaimedContent
from tests.store.files.test_rows import FACTS, ID


@pytest.fixture
def contents(tmp_path: Path) -> FolderContents:
    made = FolderContents(tmp_path / "files")
    made.prepare()
    return made


def begun(database: Database, contents: FolderContents, place: str) -> None:
    """An upload whose content is written, and whose file is not there yet."""
    with database.begin() as connection:
        claims.note_upload(connection, place)
    contents.put(place, BytesIO(b"x"))


def stored(database: Database, contents: FolderContents, place: str, sha256: str = ID) -> None:
    begun(database, contents, place)
    with database.begin() as connection:
        rows.store_file(connection, 1, NewFile(sha256, 1, FACTS, None, place=place), actor="test")
        claims.claim(connection, place)


def a_day_later(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(update(UnclaimedContent).values(due_at=UnclaimedContent.due_at - claims.UPLOAD_SECONDS - 1))


def is_kept(contents: FolderContents, place: str) -> bool:
    try:
        contents.open(place).close()
    except ContentMissing:
        return False
    return True


def test_an_upload_that_broke_off_leaves_nothing_after_a_day(database: Database, contents: FolderContents) -> None:
    begun(database, contents, "1/broke-off")
    stored(database, contents, "1/whole")
    list(claims.forget_unclaimed(database, contents))
    assert is_kept(contents, "1/broke-off"), "it may be under way"
    a_day_later(database)
    list(claims.forget_unclaimed(database, contents))
    assert not is_kept(contents, "1/broke-off")
    assert is_kept(contents, "1/whole")
    list(claims.forget_unclaimed(database, contents))


def test_an_upload_that_took_longer_than_a_day_is_refused(database: Database, contents: FolderContents) -> None:
    begun(database, contents, "1/slow")
    a_day_later(database)
    list(claims.forget_unclaimed(database, contents))
    with pytest.raises(ContentUnavailable, match="send it again"), database.begin() as connection:
        claims.claim(connection, "1/slow")


def test_the_content_of_a_deleted_file_goes_also_where_its_place_was_away(
    database: Database, contents: FolderContents
) -> None:
    stored(database, contents, "1/deleted")
    with database.begin() as connection:
        assert rows.delete_file(connection, 1, ID) == "1/deleted"
    away = FolderContents(contents.folder.parent / "away")
    with pytest.raises(ContentUnavailable):
        claims.delete_content(database, away, "1/deleted")
    list(claims.forget_unclaimed(database, contents))
    assert not is_kept(contents, "1/deleted")


def test_the_content_of_a_file_that_no_job_needs_goes_with_it(database: Database, contents: FolderContents) -> None:
    stored(database, contents, "1/unused")
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE files SET uploaded_at = uploaded_at - 700000")
    list(forget_unused(database, days=7))
    list(claims.forget_unclaimed(database, contents))
    assert not is_kept(contents, "1/unused")


def test_the_contents_of_another_service_in_the_same_place_are_left(
    database: Database, contents: FolderContents
) -> None:
    contents.put("1/of-another-service", BytesIO(b"x"))
    a_day_later(database)
    list(claims.forget_unclaimed(database, contents))
    assert is_kept(contents, "1/of-another-service")
