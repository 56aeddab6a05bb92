"""Which contents outside the database belong to no file, so that none is left for ever and none is deleted too early.

A place is noted before its content is written. The row of a file claims it, in one transaction. What was not claimed
within a day, and what a deleted file leaves, is deleted by maintenance. Nothing is looked for by listing a folder or a
bucket: another service may keep its files in the same one.
"""

from collections.abc import Iterator

import structlog
from sqlalchemy import Connection, delete, insert, select, update

from gradyard.jobs.errors import ContentUnavailable
from gradyard.store.database import Database
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.files.contents import Contents
from gradyard.store.tables import PreparedPlace, UnclaimedContent

UPLOAD_SECONDS = 86_400.0  # an upload takes minutes
AGAIN_SECONDS = 600.0  # until a content is tried again that could not be deleted
SLICE = 100

log = structlog.get_logger()


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
    """Delete the contents that are due, the longest due first. It stops after each.

    One that cannot be deleted now is due some minutes later, and does not hold the others up.
    """
    due = select(UnclaimedContent.place).where(UnclaimedContent.due_at <= now())
    while True:
        with database.read() as connection:
            places = list(connection.execute(due.order_by(UnclaimedContent.due_at).limit(SLICE)).scalars())
        if not places:
            return
        for place in places:
            try:
                delete_content(database, contents, place)
            except ContentUnavailable as error:
                log.warning("a content that no file has could not be deleted", place=place, error=str(error))
                later = update(UnclaimedContent).where(UnclaimedContent.place == place)
                with database.begin() as connection:
                    connection.execute(later.values(due_at=now() + AGAIN_SECONDS))
            yield


def is_prepared(connection: Connection) -> bool:
    """Whether the place of larger files was made ready once: from then on what is missing there is a fault."""
    return connection.execute(select(PreparedPlace.id)).first() is not None


def note_prepared(connection: Connection) -> None:
    """Note that the place of larger files is ready."""
    connection.execute(insert_or_ignore(connection, PreparedPlace).values(id=1, prepared_at=now()))
