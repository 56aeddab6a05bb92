"""Whole lives beside the other load: jobs and batches are cancelled, retried and deleted, and another project looks."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gradyard.jobs.states import FINISHED, State
from tests.faults.client import BUSY, LoggingClient, RequestLog
from tests.faults.orders import Order, OrderBook

WAIT_SECONDS = 240.0  # a job that is hit again and again takes minutes
LOOK_SECONDS = 0.2
INTRUSIONS = (
    ("GET", ""), ("POST", "/cancel"), ("POST", "/retry"), ("DELETE", ""), ("GET", "/losses"), ("GET", "/events"),
)  # fmt: skip
INTRUSIONS_ON_A_BATCH = (("GET", ""), ("POST", "/cancel"), ("POST", "/retry"), ("DELETE", ""), ("GET", "/best"))


def counted(log: RequestLog) -> dict[str, int]:
    """How often each verb was answered as promised so far, and requests of strangers refused."""
    told = log.told
    return {
        "deleted": len(told.deleted), "retried": len(told.replaced), "batches cancelled": len(told.cancelled_batches),
        "strangers refused": sum(asked.foreign and asked.status == 404 for asked in log.asked),
    }  # fmt: skip


class Lives:
    """Leads jobs and batches of one project through their verbs. The stranger is a client of another project."""

    def __init__(self, own: LoggingClient, stranger: LoggingClient, book: OrderBook, steps: int,
                 finished: threading.Event) -> None:  # fmt: skip
        self._own, self._stranger, self._book, self._steps, self._finished = own, stranger, book, steps, finished
        self._told = own.log.told
        self._batches = 0

    def of_a_batch(self) -> None:
        """Submit a batch, cancel it while it trains, retry it, and delete all of it or two of its jobs."""
        orders = self._book.batch(self._steps)
        batch = self._own.submit_batch(orders)
        self._until(lambda: any(job["state"] != State.QUEUED for job in self._own.members(batch)), 5.0)
        self._intrude(f"/v1/batches/{batch}", INTRUSIONS_ON_A_BATCH)
        self._cancel(batch)
        self._retry(batch, {order.key: order for order in orders})
        if not self._until(lambda: self._is_finished(f"/v1/batches/{batch}")):
            return
        self._batches += 1
        members = self._own.members(batch)
        if self._batches % 2:
            self._delete(f"/v1/batches/{batch}", batch, *(job["id"] for job in members))
            return
        old = next((job for job in members if job["replaced_by"]), members[0])
        for job in (old["id"], old["replaced_by"]):
            if job:
                self._delete(f"/v1/jobs/{job}", job)

    def of_a_job(self) -> None:
        """Submit a job that fails, retry it, delete the old one, and look whether the new one is still there."""
        order = self._book.failing()
        old = self._own.submit(order)
        if not self._until(lambda: self._is_finished(f"/v1/jobs/{old}")):
            return
        new = self._own.retry(old, replace(order, key=f"{order.key}-again"))
        self._told.replaced[old] = new
        self._intrude(f"/v1/jobs/{old}", INTRUSIONS)
        self._delete(f"/v1/jobs/{old}", old)
        self._until(lambda: self._is_finished(f"/v1/jobs/{new}"))

    def _cancel(self, batch: str) -> None:
        answer = self._own.until_answered("POST", f"/v1/batches/{batch}/cancel")
        if answer.status_code != 200:
            self._told.find_wrong("I13", f"the cancel of the batch {batch} was answered {answer.status_code}")
            return
        members = self._own.members(batch)
        self._told.cancelled_batches[batch] = {job["id"]: job["state"] for job in members}

    def _retry(self, batch: str, orders: dict[str, Order]) -> None:
        """Retry what did not succeed. The new jobs are listed beside the old ones, and counted in their place."""
        before = self._own.members(batch)
        states = {"states": [State.FAILED, State.CANCELLED]}
        key = f"retry-of-{batch}"
        answer = self._own.until_answered("POST", f"/v1/batches/{batch}/retry", key=key, json_body=states)
        after = self._own.members(batch)
        for job in after:
            if job["id"] not in self._own.log.accepted:  # it must end well: no second cancel comes
                order = orders[job["tags"]["order"]]
                self._own.log.accept(job["id"], replace(order, ends=frozenset({State.SUCCEEDED})), self._own.project)
        replaced = {job["retry_of"]: job["id"] for job in after if job["retry_of"]}
        self._told.replaced |= replaced
        self._told.of_batch |= set(replaced)
        wanted = {job["id"] for job in before if job["state"] in (State.FAILED, State.CANCELLED)}
        if set(replaced) != wanted or answer.json().get("retried") != len(wanted):
            self._told.find_wrong("I12", f"the retry of the batch {batch} replaced {len(replaced)} of {len(wanted)}")
        if missing := {job["id"] for job in before} - {job["id"] for job in after}:
            self._told.find_wrong("I12", f"after its retry, the batch {batch} does not list {', '.join(missing)}")
        self._check_counts(batch, len(orders))

    def _check_counts(self, batch: str, size: int) -> None:
        shown = self._own.until_answered("GET", f"/v1/batches/{batch}").json()
        if sum(shown["counts"].values()) != size:
            self._told.find_wrong("I12", f"the batch {batch} of {size} jobs counts {shown['counts']}")

    def _delete(self, path: str, *ids: str) -> None:
        """Delete a job or batch; afterwards it and its jobs answer 410. A first answer that was lost leads to 410."""
        answer = self._own.until_answered("DELETE", path)
        if answer.status_code not in (200, 204, 410):
            self._told.find_wrong("I11", f"DELETE {path} was answered {answer.status_code}: {answer.text}")
            return
        self._told.deleted |= set(ids)
        for one in [path, *(f"/v1/jobs/{each}" for each in ids if not path.endswith(each))]:
            status = self._own.until_answered("GET", one).status_code
            if status != 410:
                self._told.find_wrong("I11", f"{one} was deleted, and answers {status} instead of 410")

    def _intrude(self, path: str, requests: tuple[tuple[str, str], ...]) -> None:
        """Ask with the key of another project. The checker looks at the answers (I14)."""
        for method, verb in requests:
            self._stranger.ask(method, path + verb, foreign=True)
        page = self._stranger.ask("GET", "/v1/jobs?limit=200")
        if page is None or page.status_code in BUSY:
            return
        for job in page.json()["jobs"]:
            owner = self._own.log.projects.get(job["id"])
            if owner is not None and owner != self._stranger.project:
                self._told.find_wrong("I14", f"the project {self._stranger.project} was shown {job['id']} of {owner}")

    def _is_finished(self, path: str) -> bool:
        answer = self._own.ask("GET", path)
        shown: dict[str, Any] = answer.json() if answer is not None and answer.status_code == 200 else {}
        return shown.get("state") in {*FINISHED, "finished"}

    def _until(self, what: Callable[[], bool], seconds: float | None = None) -> bool:
        return until(what, self._finished, seconds)


def until(what: Callable[[], bool], finished: threading.Event, seconds: float | None = None) -> bool:
    """Whether this became true within so many seconds (None: WAIT_SECONDS), and before the end of the load."""
    give_up_at = time.monotonic() + (WAIT_SECONDS if seconds is None else seconds)
    while not what():
        if time.monotonic() > give_up_at or finished.wait(LOOK_SECONDS):
            return False
    return True
