"""Takes a copy of the rows of a job and puts it back: what a failover or a restore does to a live database."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from gradyard.jobs.states import FINISHED
from gradyard.store.database import Database
from gradyard.store.tables import AttemptLog, Checkpoint, Claim, Job, JobEvent, LossChunk, MetricChunk

OF_A_JOB = (JobEvent, LossChunk, MetricChunk, Checkpoint, AttemptLog)


class Snapshot:
    """An unfinished job as the database has it now, with its claim, events, losses and checkpoints."""

    def __init__(self, database: Database, job_id: UUID) -> None:
        self._database, self._id = database, job_id
        with database.snapshot() as connection:
            [self._job] = _rows(connection, Job, Job.id == job_id)
            self._claims = _rows(connection, Claim, Claim.id == self._job["claim_id"])
            self._rows = {table: _rows(connection, table, table.job_id == job_id) for table in OF_A_JOB}

    @property
    def recorded_to(self) -> int:
        """The step up to which it has losses."""
        return int(self._job["steps_done"])

    def put_back(self, *, where_it_runs: bool = False) -> bool:
        """Lose all that was committed about the job since. where_it_runs: False, and nothing, where it has moved on.

        False also where it was deleted.

        A worker that waits for one of these rows meanwhile finds it as it was: were it another one, it would be gone.
        """
        with self._database.begin() as connection:
            now = connection.execute(_held.where(Job.id == self._id).with_for_update()).first()
            held = "running", self._job["attempt"], self._job["claim_id"]
            if now is None or (where_it_runs and tuple(now) != held):
                return False
            for table in OF_A_JOB:
                connection.execute(delete(table).where(table.job_id == self._id))
            if now.state in FINISHED:  # no statement moves such a row
                connection.execute(delete(Job).where(Job.id == self._id))
            for owner, rows in ((Claim, self._claims), (Job, [self._job])):
                for row in rows:
                    _restore(connection, owner, row)
            if now.claim_id != self._job["claim_id"]:
                connection.execute(delete(Claim).where(Claim.id == now.claim_id))
            for table, rows in self._rows.items():
                if rows:
                    connection.execute(insert(table), rows)
        return True


_held = select(Job.state, Job.attempt, Job.claim_id)


def _restore(connection: Connection, table: Any, row: dict[str, Any]) -> None:
    if not connection.execute(update(table).where(table.id == row["id"]).values(row)).rowcount:
        connection.execute(insert(table), [row])


def _rows(connection: Connection, table: Any, condition: Any) -> list[dict[str, Any]]:
    keys = [attribute.key for attribute in table.__mapper__.column_attrs]
    columns = [getattr(table, key).label(key) for key in keys]
    return [dict(row._mapping) for row in connection.execute(select(*columns).where(condition))]
