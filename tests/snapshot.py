"""Takes a copy of the rows of a job and puts it back: what a failover or a restore does to a live database."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from gradyard.store.database import Database
from gradyard.store.tables import Checkpoint, Claim, Job, JobEvent, LossChunk

OF_A_JOB = (JobEvent, LossChunk, Checkpoint)


class Snapshot:
    """An unfinished job as the database has it now, with its claim, events, losses and checkpoints."""

    def __init__(self, database: Database, job_id: UUID) -> None:
        self._database, self._id = database, job_id
        with database.read() as connection:
            [self._job] = _rows(connection, Job, Job.id == job_id)
            self._claims = _rows(connection, Claim, Claim.id == self._job["claim_id"])
            self._rows = {table: _rows(connection, table, table.job_id == job_id) for table in OF_A_JOB}

    @property
    def recorded_to(self) -> int:
        """The step up to which it has losses."""
        return int(self._job["steps_done"])

    def put_back(self, *, where_it_runs: bool = False) -> bool:
        """Lose all that was committed about the job since. where_it_runs: False, and nothing, where it has moved on."""
        with self._database.begin() as connection:
            held = (Job.state == "running", Job.attempt == self._job["attempt"], Job.claim_id == self._job["claim_id"])
            same = select(Job.id).where(Job.id == self._id, *held).with_for_update()
            if where_it_runs and connection.execute(same).first() is None:
                return False
            for table in OF_A_JOB:
                connection.execute(delete(table).where(table.job_id == self._id))
            claim = connection.execute(select(Job.claim_id).where(Job.id == self._id)).scalar()
            connection.execute(delete(Job).where(Job.id == self._id))
            connection.execute(delete(Claim).where(Claim.id == claim))
            for owner, rows in ((Claim, self._claims), (Job, [self._job]), *self._rows.items()):
                if rows:
                    connection.execute(insert(owner), rows)
        return True


def _rows(connection: Connection, table: Any, condition: Any) -> list[dict[str, Any]]:
    keys = [attribute.key for attribute in table.__mapper__.column_attrs]
    columns = [getattr(table, key).label(key) for key in keys]
    return [dict(row._mapping) for row in connection.execute(select(*columns).where(condition))]
