"""Requests of the Client for jobs: submit, look at, wait for, cancel, retry and delete one, and list them."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from gradyard.client.arrays import ArrayRequests
from gradyard.client.base import as_list, job_path
from gradyard.client.errors import WaitTimeout
from gradyard.shapes import AttemptLog, Event, Job

LONGEST_HOLD_SECONDS = 30  # of one long poll
PROGRESS_HOLD_SECONDS = 1


class Jobs:
    """The jobs of a service. Called, it lists them; its verbs take the id of a job."""

    def __init__(self, client: "JobRequests") -> None:
        self._newest = client._newest
        self.get, self.wait, self.submit = client.job, client.wait, client.submit
        self.cancel, self.retry, self.delete = client.cancel, client.retry, client.delete
        self.losses, self.loss_points, self.predict = client.losses, client.loss_points, client.predict
        self.logs, self.events = client.logs, client.events
        self.metrics, self.metric = client.metrics, client.metric
        self.artifacts, self.artifact = client.artifacts, client.artifact

    def __call__(
        self, *, state: str | None = None, stage: str | None = None, batch: str | None = None, limit: int | None = None
    ) -> Iterator[Job]:
        """The jobs, the newest first, at most `limit`; one request for every 200 jobs."""
        return self._newest(Job, "jobs", {"state": state, "stage": stage, "batch": batch}, limit)


class JobRequests(ArrayRequests):
    """Submit, list, wait for, cancel, retry and delete jobs."""

    def submit(
        self, spec: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None, **parameters: Any
    ) -> Job:
        """Submit a job and return it, queued. `submit({"stage": "nn"})` and `submit(stage="nn")` are the same.

        idempotency_key: a second call with the same key and spec returns the job of the first call, also days later.
        With a key of your own you can repeat the call after a crash.
        """
        body = json.dumps({**(spec or {}), **parameters}, default=as_list).encode()
        key = idempotency_key or str(uuid.uuid4())
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        return self._one(Job, self._transport.ask_json("POST", "/v1/jobs", body=body, headers=headers))

    def job(self, job_id: str) -> Job:
        """The job in its present state."""
        return self._one(Job, self._transport.ask_json("GET", job_path(job_id)))

    @cached_property
    def jobs(self) -> Jobs:
        """The jobs. `client.jobs(state="failed")` lists them, `client.jobs.cancel(id)` is `client.cancel(id)`."""
        return Jobs(self)

    def wait(self, job_id: str, timeout: float | None = None, on_progress: Callable[[Job], None] | None = None) -> Job:
        """Wait until the job is finished, and return it.

        timeout: in seconds; after it, WaitTimeout is raised and the job goes on. None: no limit.
        on_progress: is called with the job about every second, and once when it is finished.
        """
        began = time.monotonic()
        longest = LONGEST_HOLD_SECONDS if on_progress is None else PROGRESS_HOLD_SECONDS
        while True:
            left = longest if timeout is None else timeout - (time.monotonic() - began)
            asked_at = time.monotonic()
            job = self._job_when_over(job_id, max(0.0, min(left, longest)))
            if on_progress is not None:
                on_progress(job)
            if job.finished:
                return job
            if timeout is not None and time.monotonic() - began >= timeout:
                raise WaitTimeout(job, timeout)
            if time.monotonic() - asked_at < 0.1:  # the service did not hold the request: do not flood it
                time.sleep(0.2)

    def _job_when_over(self, job_id: str, hold_seconds: float) -> Job:
        params = {"wait": f"{hold_seconds:g}"}
        return self._one(
            Job, self._transport.ask_json("GET", job_path(job_id), params=params, hold_seconds=hold_seconds)
        )

    def cancel(self, job_id: str) -> Job:
        """Cancel a queued or running job and return it. A finished job is refused (RefusedByService, 409)."""
        return self._one(Job, self._transport.ask_json("POST", job_path(job_id) + "/cancel"))

    def retry(self, job_id: str, *, idempotency_key: str | None = None) -> Job:
        """Submit the spec of a finished job as a new job. An unfinished job is refused (RefusedByService, 409)."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._one(Job, self._transport.ask_json("POST", job_path(job_id) + "/retry", headers=headers))

    def delete(self, job_id: str) -> None:
        """Delete a finished job and all its data. An unfinished job is refused (RefusedByService, 409)."""
        self._transport.ask("DELETE", job_path(job_id), also_fine=frozenset({410}))

    def logs(self, job_id: str) -> list[AttemptLog]:
        """The output of the job's runner, tracebacks of errors included: one log for each attempt that wrote any."""
        return self._many(AttemptLog, self._transport.ask_json("GET", job_path(job_id) + "/logs"), "logs")

    def events(self, job_id: str) -> list[Event]:
        """Every change of the job's state, the oldest first."""
        return self._many(Event, self._transport.ask_json("GET", job_path(job_id) + "/events"), "events")
