"""Jobs for a GPU where no worker has one: they wait, say what for, and make no other job slower (I15)."""

import time
from datetime import datetime

import numpy as np

from gradyard.jobs.states import State
from tests.faults.client import LoggingClient
from tests.faults.orders import OrderBook

WAITS_FOR = "no gpu worker is alive"
PROBES = 5
ASKED = 3  # members whose reason is read
SLOWED_FACTOR, SLOWED_SECONDS = 2.0, 0.1  # how much later, at most, a job may start beside the backlog


class Backlog:
    """A batch of jobs for GPUs, which waits for the whole run. probes: of how soon jobs start beside it."""

    def __init__(self, client: LoggingClient, book: OrderBook, size: int, probes: int = PROBES) -> None:
        self._client, self._book, self._told, self.size = client, book, client.log.told, size
        self._probes = probes

    def submit(self) -> None:
        """Submit the batch; nothing where its size is 0."""
        if not self.size:
            return
        self._batch = self._client.submit_batch(self._book.waiting(self.size))

    def end(self) -> dict[str, list[float]]:
        """Look at every member, then cancel them. Returns how soon other jobs start beside the backlog, and without.

        Only where the service has nothing else to do.
        """
        if not self.size:
            return {}
        self._look()
        beside = self._starts()
        answer = self._client.until_answered("POST", f"/v1/batches/{self._batch}/cancel")
        cancelled = answer.json().get("counts", {}).get(State.CANCELLED)
        if cancelled != self.size:
            self._told.find_wrong("I15", f"the cancel of {self.size} waiting jobs cancelled {cancelled}")
        return {_beside(self.size): beside, ALONE: self._starts()}

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _look(self) -> None:
        members = self._client.members(self._batch)
        if len(members) != self.size:
            self._told.find_wrong("I15", f"{len(members)} of {self.size} jobs for a GPU are there")
        for job in members:
            if job["state"] != State.QUEUED or job["attempt"]:
                self._told.find_wrong("I15", f"{job['id']} waits for a GPU, and is {job['state']}")
        for job in members[:ASKED]:
            waiting = self._client.until_answered("GET", f"/v1/jobs/{job['id']}").json().get("waiting") or {}
            if waiting.get("reason") != WAITS_FOR:
                self._told.find_wrong("I15", f"{job['id']} says that it waits for: {waiting.get('reason')}")

    def _starts(self) -> list[float]:
        """The seconds from the submission of each of some jobs, one after the other, until a worker took it."""
        seconds: list[float] = []
        for _ in range(self._probes):
            job_id = self._client.submit(self._book.short())
            give_up_at = time.monotonic() + 30.0
            while (job := self._client.job(job_id)) is None or job["result"] is None:
                if time.monotonic() > give_up_at:
                    return seconds
                time.sleep(0.02)
            submitted, started = (datetime.fromisoformat(job[when]) for when in ("submitted_at", "started_at"))
            seconds.append((started - submitted).total_seconds())
        return seconds


ALONE = "a job starts without waiting GPU jobs"


def _beside(size: int) -> str:
    return f"a job starts beside {size} waiting GPU jobs"


def slowed(figures: dict[str, list[float]], size: int) -> list[str]:
    """The broken promise, where the median job starts much later beside the backlog than without it."""
    beside, alone = figures.get(_beside(size), []), figures.get(ALONE, [])
    if not beside or not alone:
        return []
    with_it, without = float(np.median(beside)), float(np.median(alone))
    if with_it <= SLOWED_FACTOR * without + SLOWED_SECONDS:
        return []
    return [
        f"beside {size} waiting GPU jobs a job starts after {with_it:.2f} s, and without them after {without:.2f} s"
    ]
