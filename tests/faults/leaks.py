"""I17: no secret of the service stands in a log, in what its runners printed, or in a table, but where it is kept."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection, Text, cast, or_, select
from sqlalchemy.types import JSON, String

from gradyard.store.database import Database
from gradyard.store.tables import AttemptLog, Table, Webhook
from tests.faults.canaries import ADMIN_KEY, DATABASE_PASSWORD, REDIS_PASSWORD
from tests.faults.checker import Verdict

KEPT = {Webhook.__table__.c.secret, Webhook.__table__.c.earlier_secret}
"""Columns that have a secret as it is: a signature needs the secret itself. Of all others there is a hash at most."""


def check_canaries(verdict: Verdict, folder: Path, database: Database, secrets: Mapping[str, str]) -> None:
    """I17: look for every secret in every log below the folder, in every log of a job, and in every table.

    secrets: those that were made during the run, by names for people.
    """
    words = {"the administrator's key": ADMIN_KEY, "the password of the database": DATABASE_PASSWORD,
             "the password of Redis": REDIS_PASSWORD, **secrets}  # fmt: skip
    written = {str(each.relative_to(folder)): each.read_bytes() for each in sorted(folder.rglob("*.log*"))}
    if "api.log" not in written or not written["api.log"]:
        verdict.add("I17", "the API has no log to look into")
    for what in (what for what, word in words.items() if not word):
        verdict.add("I17", f"{what} was never made")
    words = {what: word for what, word in words.items() if word}
    with database.read() as connection:
        for row in connection.execute(select(AttemptLog.job_id, AttemptLog.text)):
            written[f"the log of job {row.job_id}"] = row.text.encode(errors="replace")
        for what, word in words.items():
            for table in _tables_with(connection, word):
                verdict.add("I17", f"{what} stands in the table {table}")
    for name, log in written.items():
        for what, word in words.items():
            if word.encode() in log:
                verdict.add("I17", f"{what} stands in {name}")


def _tables_with(connection: Connection, word: str) -> Iterator[str]:
    """The tables that have the word in a column of texts or JSON, but for those that keep it."""
    for table in Table.metadata.sorted_tables:
        columns = [each for each in table.columns if isinstance(each.type, String | JSON) and each not in KEPT]
        texts = [cast(each, Text).contains(word, autoescape=True) for each in columns]
        if table.name != AttemptLog.__tablename__ and texts and connection.execute(
            select(1).select_from(table).where(or_(*texts)).limit(1)
        ).first():  # fmt: skip
            yield table.name
