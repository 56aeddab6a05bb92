"""Proves from the rows what clients were told about deletes, retries, batch cancels and projects (I11 to I14)."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select

from gradyard.jobs.states import FINISHED
from gradyard.store.database import Database
from gradyard.store.tables.base import Table
from tests.faults.checker import Verdict
from tests.faults.client import BUSY, Asked, RequestLog
from tests.faults.rows import Rows

AT_ONCE = 500  # parameters of one statement
STAYS = {"idempotency_keys"}  # a key outlives its job by the hours that it is kept


def check_verbs(verdict: Verdict, log: RequestLog, rows: Rows, left: Counter[str]) -> None:
    """I11 to I14. `left`: the rows of deleted jobs by table, of `rows_left`."""
    for invariant, what in log.told.wrong:
        verdict.add(invariant, what)
    _check_deleted(verdict, log, rows, left)
    _check_replaced(verdict, log, rows)
    _check_cancelled_batches(verdict, log, rows)
    _check_projects(verdict, log, rows)


def rows_left(database: Database, deleted: Iterable[str]) -> Counter[str]:
    """How many rows of deleted jobs each table has. Every table with a column `job_id` belongs to jobs."""
    ids, left = [UUID(each) for each in deleted], Counter[str]()
    with database.read() as connection:
        for table in Table.metadata.sorted_tables:
            column = table.c.get("job_id")
            if column is None or table.name in STAYS:
                continue
            for begin in range(0, len(ids), AT_ONCE):
                count = select(func.count()).where(column.in_(ids[begin : begin + AT_ONCE]))
                left[table.name] += connection.execute(count).scalar_one()
    return +left


def _check_deleted(verdict: Verdict, log: RequestLog, rows: Rows, left: Counter[str]) -> None:
    """I11: a deleted job has no rows, and no id that was not deleted answers 410."""
    deleted = log.told.deleted
    for job_id in deleted & rows.jobs.keys():
        verdict.add("I11", f"{job_id} was deleted, and is {rows.jobs[job_id].state}")
    for table, count in left.items():
        verdict.add("I11", f"{count} rows of deleted jobs are left in {table}")
    for asked in log.asked:
        if asked.status == 410 and not asked.foreign and _id_in(asked) not in deleted:
            verdict.add("I11", f"{asked.method} {asked.path} was answered 410, and was not deleted")


def _check_replaced(verdict: Verdict, log: RequestLog, rows: Rows) -> None:
    """I12: a retry made one job, which names the old one; in a batch the old one names it as well."""
    retries = Counter(str(job.retry_of) for job in rows.jobs.values() if job.retry_of)
    for old, new in log.told.replaced.items():
        if retries[old] > 1:
            verdict.double += 1
            verdict.add("I12", f"one retry of {old} made {retries[old]} jobs")
        made, there = rows.jobs.get(new), rows.jobs.get(old)
        if made is not None and str(made.retry_of) != old:
            verdict.add("I12", f"{new} is a retry of {old}, and names {made.retry_of}")
        if made is None or there is None:
            continue
        wanted = new if old in log.told.of_batch else "None"
        if str(there.replaced_by) != wanted or made.batch_id != (there.batch_id if wanted == new else None):
            verdict.add("I12", f"{old} was replaced by {there.replaced_by} instead of {wanted}, or in another batch")


def _check_cancelled_batches(verdict: Verdict, log: RequestLog, rows: Rows) -> None:
    """I13: after the cancel of a batch each member is finished, and stays as it is."""
    for batch, states in log.told.cancelled_batches.items():
        for job_id, state in states.items():
            job = rows.jobs.get(job_id)
            if state not in FINISHED:
                verdict.add("I13", f"{job_id} was {state} after its batch {batch} was cancelled")
            elif job is not None and job.state != state:
                verdict.add("I13", f"{job_id} was {state} after its batch {batch} was cancelled, and is {job.state}")


def _check_projects(verdict: Verdict, log: RequestLog, rows: Rows) -> None:
    """I14: a job belongs to the project of the key that sent it, and keys of others are told that it does not exist."""
    for job_id, project in log.projects.items():
        job = rows.jobs.get(job_id)
        if job is not None and rows.projects[job.project_id] != project:
            verdict.add("I14", f"{job_id} of {project} is in the project {rows.projects[job.project_id]}")
    for asked in log.asked:
        if asked.foreign and asked.status not in (None, 404, *BUSY):
            verdict.add("I14", f"{asked.method} {asked.path} of another project was answered {asked.status}")


def _id_in(asked: Asked) -> str:
    """The id in a path such as /v1/jobs/ID/cancel."""
    return asked.path.partition("?")[0].split("/")[3] if asked.path.count("/") > 2 else ""
