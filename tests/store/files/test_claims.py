"""Contents that belong to no file are deleted: of uploads that broke off, and of files that are gone. No others are."""

from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import update

from gradyard.jobs.errors import ContentMissing, ContentUnavailable, NotFound
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


def test_a_content_that_cannot_be_deleted_holds_up_no_other(database: Database, contents: FolderContents) -> None:
    for place in ("1/stuck", "1/free"):
        begun(database, contents, place)
    a_day_later(database)

    class Stuck(FolderContents):
        def delete(self, name: str) -> None:
            if name == "1/stuck":
                raise ContentUnavailable("it hangs")
            super().delete(name)

    list(claims.forget_unclaimed(database, Stuck(contents.folder)))
    assert is_kept(contents, "1/stuck")
    assert not is_kept(contents, "1/free")
    a_day_later(database)
    list(claims.forget_unclaimed(database, contents))
    assert not is_kept(contents, "1/stuck")


def test_of_two_uploads_that_heal_a_file_the_first_ones_content_is_given_up(
    database: Database, contents: FolderContents
) -> None:
    stored(database, contents, "1/lost")
    for place in ("1/first", "1/second"):
        begun(database, contents, place)
    for place in ("1/first", "1/second"):
        with database.begin() as connection:
            was = rows.touch_file(connection, 1, ID, place)
            claims.claim(connection, place)
            assert was is not None
            claims.give_up(connection, was)
    list(claims.forget_unclaimed(database, contents))
    assert [is_kept(contents, place) for place in ("1/lost", "1/first", "1/second")] == [False, False, True]


def test_a_file_that_is_uploaded_again_is_not_forgotten_by_who_saw_it_before(database: Database) -> None:
    new = NewFile(ID, 1, FACTS, None, content=b"x")
    with database.begin() as connection:
        rows.store_file(connection, 1, new, actor="test")
        with pytest.raises(NotFound):
            rows.delete_file(connection, 1, ID, older_than_seconds=60.0)
        assert rows.delete_file(connection, 1, ID) is None


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
