"""The Client: a gradyard service from Python."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from gradyard.client.api_keys import KeyRequests
from gradyard.client.arrays import ArrayRequests
from gradyard.client.base import as_list, job_path
from gradyard.client.batches import BatchRequests
from gradyard.client.errors import WaitTimeout
from gradyard.client.fleet import FleetRequests
from gradyard.shapes import AttemptLog, Event, Job, RefusedPlugin, Stage, StageWithSchema

LONGEST_HOLD_SECONDS = 30  # of one long poll
PROGRESS_HOLD_SECONDS = 1
PAGE = 200  # jobs in one answer, the service's limit


class Client(BatchRequests, ArrayRequests, FleetRequests, KeyRequests):
    """A gradyard service.

    url: the address of the service. Default: `GRADYARD_URL`, else the running stack of this machine's state folder,
    else http://127.0.0.1:8000.
    key: an API key, if the service asks for one. Default: `GRADYARD_KEY`, else `GRADYARD_ADMIN_KEY`, but only where
    `url` is not given.
    retry_seconds: how long a request is sent again while the service is unreachable or busy. A submission that is sent
    again makes no second job: it carries an Idempotency-Key.

    Every method raises Unreachable if no answer came in that time, RefusedByService if the service refused the request
    (JobNotFound if there is no such job), and AnswerNotUnderstood if the answer is not one of gradyard. Threads may
    share a Client.
    """

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

    def jobs(
        self, *, state: str | None = None, stage: str | None = None, batch: str | None = None, limit: int | None = None
    ) -> Iterator[Job]:
        """The jobs, the newest first, at most `limit`; one request for every 200 jobs."""
        cursor, left = None, limit
        while left is None or left > 0:
            which = {"state": state, "stage": stage, "batch": batch}
            params = which | {"limit": min(left or PAGE, PAGE), "cursor": cursor}
            page = self._transport.ask_json("GET", "/v1/jobs", params=params)
            yield from self._many(Job, page, "jobs")
            cursor = page.get("next_cursor")
            left = None if left is None else left - len(page["jobs"])
            if cursor is None:
                return

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

    def stages(self) -> list[Stage]:
        """The stages that the service offers."""
        return self._many(Stage, self._transport.ask_json("GET", "/v1/stages"), "stages")

    def refused_stages(self) -> list[RefusedPlugin]:
        """The stages of installed packages that the service does not offer, and the reason for each."""
        answer = self._transport.ask_json("GET", "/v1/stages")
        return self._many(RefusedPlugin, {"refused": [], **answer}, "refused")  # an older service names none

    def stage(self, name: str) -> StageWithSchema:
        """One stage, with the JSON Schema of its parameters."""
        return self._one(StageWithSchema, self._transport.ask_json("GET", f"/v1/stages/{quote(name, safe='')}"))
