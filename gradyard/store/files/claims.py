"""Which contents outside the database belong to no file, so that none is left for ever and none is deleted too early.

A place is noted before its content is written. The row of a file claims it, in one transaction. What was not claimed
within a day, and what a deleted file leaves, is deleted by maintenance. Nothing is looked for by listing a folder or a
bucket: another service may keep its files in the same one.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, delete, insert, select

from gradyard.jobs.errors import ContentUnavailable
from gradyard.store.database import Database
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.files.contents import Contents
from gradyard.store.tables import UnclaimedContent

UPLOAD_SECONDS = 86_400.0  # an upload takes minutes
SLICE = 100


def note_upload(connection: Connection, place: str) -> None:
    """Note the place of a content that is about to be written."""
    connection.execute(insert(UnclaimedContent).values(place=place, due_at=now() + UPLOAD_SECONDS))


def claim(connection: Connection, place: str) -> None:
    """The content is that of a file whose row the same transaction writes. Raises ContentUnavailable after a day."""
    if not connection.execute(delete(UnclaimedContent).where(UnclaimedContent.place == place)).rowcount:
        raise ContentUnavailable("the upload took longer than a day, and its content was deleted; send it again")


def give_up(connection: Connection, place: str) -> None:
    """No file has this content from this transaction on."""
    connection.execute(insert_or_ignore(connection, UnclaimedContent).values(place=place, due_at=0.0))


def delete_content(database: Database, contents: Contents, place: str) -> None:
    """Delete a content that no file has, and its note. Raises ContentUnavailable; then maintenance tries again."""
    contents.delete(place)
    with database.begin() as connection:
        connection.execute(delete(UnclaimedContent).where(UnclaimedContent.place == place))


def forget_unclaimed(database: Database, contents: Contents) -> Iterator[None]:
    """Delete the contents that are due. It stops after each. Raises ContentUnavailable where one cannot be deleted."""
    due = select(UnclaimedContent.place).where(UnclaimedContent.due_at <= now()).limit(SLICE)
    while True:
        with database.read() as connection:
            places = list(connection.execute(due).scalars())
        if not places:
            return
        for place in places:
            delete_content(database, contents, place)
            yield
