"""I17: no secret of the service stands in any of its logs, nor in what its runners printed."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from gradyard.store.database import Database
from gradyard.store.tables import AttemptLog
from tests.faults.canaries import ADMIN_KEY, DATABASE_PASSWORD, REDIS_PASSWORD
from tests.faults.checker import Verdict


def check_canaries(verdict: Verdict, folder: Path, database: Database, api_keys: Mapping[str, str]) -> None:
    """I17: look for every secret in every log below the folder, and in every log of a job. api_keys: by their names."""
    secret = {"the administrator's key": ADMIN_KEY, "the password of the database": DATABASE_PASSWORD,
              "the password of Redis": REDIS_PASSWORD, **api_keys}  # fmt: skip
    written = {str(each.relative_to(folder)): each.read_bytes() for each in sorted(folder.rglob("*.log*"))}
    if "api.log" not in written or not written["api.log"]:
        verdict.add("I17", "the API has no log to look into")
    with database.read() as connection:
        for row in connection.execute(select(AttemptLog.job_id, AttemptLog.text)):
            written[f"the log of job {row.job_id}"] = row.text.encode(errors="replace")
    for name, log in written.items():
        for what, word in secret.items():
            if word.encode() in log:
                verdict.add("I17", f"{what} stands in {name}")
