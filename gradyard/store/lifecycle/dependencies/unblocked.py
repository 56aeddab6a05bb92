"""The columns of a job that waits for others no more, whatever becomes of it."""

from typing import Any

from sqlalchemy import case, func

from gradyard.jobs.fleet import Queue
from gradyard.store.tables import Job

NOT_YET = -1
"""The start step of a job that waits for others. Claims look for riders among jobs of one pack key and start step, so
those that wait, were they a hundred thousand, are not among the rows that they read."""

_any_device = func.coalesce(Job.any_device, Job.spec["device"].as_string() == "auto")
_queue_of_spec = case((_any_device, Queue.ANY.value), else_=Job.spec["device"].as_string())

UNBLOCKED: dict[str, Any] = {
    "queue": case((Job.queue == Queue.BLOCKED, _queue_of_spec), else_=Job.queue),
    "start_step": case((Job.start_step == NOT_YET, 0), else_=Job.start_step),
}
"""The queue where the job would be claimed, and the step where it would begin. Other jobs keep theirs."""
