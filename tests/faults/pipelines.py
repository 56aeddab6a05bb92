"""Pipelines beside the other load: jobs and batches that wait for others, of which some fail, are cancelled or deleted.

A gate makes them certain: a job for a GPU that is not there. What must not end before all is submitted waits for its
end, and the client cancels it then. The first links wait for no gate: they may end while others are submitted that
wait for them.
"""

import threading
from datetime import datetime
from typing import Any

from gradyard.jobs.specs.dependencies import Condition
from gradyard.jobs.states import FINISHED, Reason, State
from tests.faults.client import LoggingClient, RequestLog
from tests.faults.lives import until
from tests.faults.orders import FAILS, SUCCEEDS, Order, OrderBook

VICTIM_STEPS = 100  # times those of the other links
BEGINS_SECONDS, HEARD_SECONDS = 5.0, 10.0  # until a victim trains; until others have heard of an end

RAN_AFTER_OTHERS, FAILED_WITH_OTHERS = "ran after others", "failed with others"


def counted(log: RequestLog) -> dict[str, int]:
    """How many jobs were seen to run after those that they depend on, and to fail with them."""
    return {RAN_AFTER_OTHERS: len(log.told.ran_after), FAILED_WITH_OTHERS: len(log.told.failed_with)}


def succeeded(on: str) -> dict[str, str]:
    """A dependency that asks for success."""
    return {"id": on, "condition": Condition.SUCCEEDED}


def ended(on: str) -> dict[str, str]:
    """A dependency that asks for an end, whichever."""
    return {"id": on, "condition": Condition.ENDED}


class Pipelines:
    """Leads pipelines of one project to their ends. Whether they kept their order is checked from the rows (I15)."""

    def __init__(self, own: LoggingClient, book: OrderBook, steps: int, finished: threading.Event) -> None:
        self._own, self._book, self._steps, self._finished = own, book, steps, finished
        self._told = own.log.told
        self._jobs: list[str] = []

    def lead(self) -> None:
        """Submit a pipeline in which links succeed, fail and are cancelled; delete one; wait until all have ended."""
        self._jobs = []
        self._link_at_once()
        gate = self._own.submit(self._book.gate())
        try:
            broken, victim, waits = self._link_behind(gate)
        finally:
            self._own.cancel(gate)
        if until(lambda: self._is_finished(broken), self._finished):
            self._delete(broken, waits, victim)
        until(lambda: self._job(victim)["state"] != State.QUEUED, self._finished, BEGINS_SECONDS)
        self._own.cancel(victim)
        if until(lambda: all(map(self._is_finished, self._jobs)), self._finished):
            self._count()
            until(lambda: self._delete(broken), self._finished, HEARD_SECONDS)

    def _link_at_once(self) -> None:
        """A batch after a job, a job after the batch, and one after that job: all succeed."""
        first = self._submit()
        batch = self._submit_batch([self._link(succeeded(first), seed=seed, steps=self._steps) for seed in range(3)])
        last = self._submit(succeeded(batch), ended(first))
        self._submit(succeeded(last))

    def _link_behind(self, gate: str) -> tuple[str, str, str]:
        """What fails or is cancelled once the gate opens, and what waits for it.

        Returns the job that fails, the one that the client cancels, and one that waits for the end of both.
        """
        raises: dict[str, Any] = {"ends": FAILS, "name": "raises", "max_retries": 0}
        either = SUCCEEDS | FAILS
        broken = self._submit(ended(gate), **raises)
        victim = self._submit(ended(gate), ends=frozenset({"cancelled"}) | SUCCEEDS, times=VICTIM_STEPS, name="victim")
        mixed = self._submit_batch([self._link(ended(gate), **raises), self._link(ended(gate))])
        with_it = self._submit(succeeded(broken), ends=FAILS)
        self._submit(succeeded(with_it), ends=FAILS)
        self._submit(ended(with_it))
        self._submit(succeeded(victim), ends=either)
        self._submit(succeeded(mixed), ends=FAILS)
        self._submit_batch([self._link(ended(mixed)), self._link(succeeded(mixed), ended(gate), ends=FAILS)])
        return broken, victim, self._submit(ended(victim), ended(broken), ended(mixed))

    def _link(self, *depends_on: dict[str, str], times: int = 1, **more: Any) -> Order:
        return self._book.link(times * self._steps, *depends_on, **more)

    def _submit(self, *depends_on: dict[str, str], **more: Any) -> str:
        self._jobs.append(self._own.submit(self._link(*depends_on, **more)))
        return self._jobs[-1]

    def _submit_batch(self, orders: list[Order]) -> str:
        batch = self._own.submit_batch(orders)
        self._jobs += [member["id"] for member in self._own.members(batch)]
        return batch

    def _count(self) -> None:
        for job_id in self._jobs:
            job = self._job(job_id)
            if job.get("depends_on") and job["state"] == State.SUCCEEDED:
                self._told.ran_after.add(job_id)
            if job.get("reason") == Reason.UPSTREAM_FAILED:
                self._told.failed_with.add(job_id)

    def _delete(self, job_id: str, waits: str = "", victim: str = "") -> bool:
        """Delete a job; refused while others wait for its end, as `waits` does as long as the victim has not ended."""
        if job_id in self._told.deleted:
            return True
        job = self._job(job_id)
        answer = self._own.until_answered("DELETE", f"/v1/jobs/{job_id}")
        if answer.status_code == 409:
            return False
        if answer.status_code not in (204, 410):
            self._told.find_wrong("I11", f"DELETE of {job_id} was answered {answer.status_code}: {answer.text}")
            return False
        self._told.ended[job_id] = (job["state"], datetime.fromisoformat(job["finished_at"]).timestamp())
        self._told.deleted.add(job_id)
        if victim and {self._job(waits)["state"], self._job(victim)["state"]}.isdisjoint(FINISHED):
            self._told.find_wrong("I15", f"{job_id} was deleted while {waits} waited for it")
        return True

    def _is_finished(self, job_id: str) -> bool:
        return job_id in self._told.deleted or self._job(job_id)["state"] in FINISHED

    def _job(self, job_id: str) -> dict[str, Any]:
        answer = self._own.until_answered("GET", f"/v1/jobs/{job_id}")
        return dict(answer.json())
