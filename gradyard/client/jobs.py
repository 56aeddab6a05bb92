"""Requests of the Client for jobs: submit, look at, wait for, cancel, retry, check and delete one, and list them."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from gradyard.client.base import as_list
from gradyard.client.definitions import K, Noun, asks, verb, verb_of_many
from gradyard.client.errors import WaitTimeout
from gradyard.client.exports.requests import ExportRequests
from gradyard.client.history.arrays import ArrayRequests
from gradyard.client.history.best import BestRequests
from gradyard.client.history.checks import CheckRequests
from gradyard.client.identities import BatchLike, DependencyLike, JobLike, batch_id_if_any, dependencies, job_path
from gradyard.client.lists import ListOf, lists
from gradyard.client.live.watching import WatchRequests
from gradyard.client.questions import QuestionRequests
from gradyard.shapes import AttemptLog, Event, Job, JobChecked, JobValues

LONGEST_HOLD_SECONDS = 30  # of one long poll
PROGRESS_HOLD_SECONDS = 1


class JobRequests(ArrayRequests[K], BestRequests[K], CheckRequests[K], ExportRequests[K], QuestionRequests[K]):
    """Submit, list, wait for, cancel, retry, check and delete jobs."""

    @asks
    async def submit(
        self, /, spec: Mapping[str, Any] | None = None, *,
        depends_on: DependencyLike | Iterable[DependencyLike] | None = None, idempotency_key: str | None = None,
        precedence: int = 0, **parameters: Any,
    ) -> Job:  # fmt: skip
        """Submit a job and return it, queued. `submit({"stage": "nn"})` and `submit(stage="nn")` are the same.

        depends_on: jobs and batches, or their ids, that must succeed before it is trained; it fails where one does not.
        `{"id": job, "condition": "ended"}` waits for an end of any kind. At most 16.
        idempotency_key: a second call with the same key and spec returns the job of the first call, also days later.
        With a key of your own you can repeat the call after a crash.
        precedence: -100 to 100, before or after the work of all projects; other than 0 for operators alone.
        """
        body = json.dumps({**(spec or {}), **parameters, **dependencies(depends_on)}, default=as_list).encode()
        key = idempotency_key or str(uuid.uuid4())
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        params = {"precedence": precedence or None}
        answer = await self._transport.ask_json("POST", "/v1/jobs", body=body, headers=headers, params=params)
        return self._one(Job, answer)

    @asks
    async def check(
        self, /, spec: Mapping[str, Any] | None = None, *,
        depends_on: DependencyLike | Iterable[DependencyLike] | None = None, **parameters: Any,
    ) -> JobChecked:  # fmt: skip
        """What a job of this spec would be: its spec with every default, computed numbers, warnings. Nothing is stored.

        Raises RefusedByService where `submit` would refuse the spec.
        """
        body = json.dumps({**(spec or {}), **parameters, **dependencies(depends_on)}, default=as_list).encode()
        about: dict[str, Any] = {"headers": {"Content-Type": "application/json"}, "params": {"dry_run": "true"}}
        return self._one(JobChecked, await self._transport.ask_json("POST", "/v1/jobs", body=body, **about))

    @asks
    async def job(self, job: JobLike) -> Job:
        """The job in its present state."""
        return self._one(Job, await self._transport.ask_json("GET", job_path(job)))

    @cached_property
    def jobs(self) -> "Jobs[K]":
        """The jobs. `client.jobs(state="failed")` lists them, `client.jobs.cancel(id)` is `client.cancel(id)`."""
        return Jobs(self)

    @asks
    async def wait(
        self, job: JobLike, timeout: float | None = None, on_progress: Callable[[Job], None] | None = None
    ) -> Job:
        """Wait until the job is finished, and return it.

        timeout: in seconds; after it, WaitTimeout is raised and the job goes on. Where no service answers, Unreachable.
        None: no limit.
        on_progress: is called with the job about every second, and once when it is finished.
        """
        began = time.monotonic()
        longest = LONGEST_HOLD_SECONDS if on_progress is None else PROGRESS_HOLD_SECONDS
        while True:
            asked_at = time.monotonic()
            left = None if timeout is None else max(0.0, timeout - (asked_at - began))
            seen = await self._job_when_over(job, longest if left is None else min(left, longest), left)
            if on_progress is not None:
                on_progress(seen)
            if seen.finished:
                return seen
            if timeout is not None and time.monotonic() - began >= timeout:
                raise WaitTimeout(seen, timeout)
            if time.monotonic() - asked_at < 0.1:  # the service did not hold the request: do not flood it
                await self._transport.pause(0.2)

    async def _job_when_over(self, job: JobLike, hold_seconds: float, left: float | None) -> Job:
        asked = {"params": {"wait": f"{hold_seconds:g}"}, "hold_seconds": hold_seconds, "within": left}
        return self._one(Job, await self._transport.ask_json("GET", job_path(job), **asked))

    @asks
    async def cancel(self, job: JobLike) -> Job:
        """Cancel a queued or running job and return it. A finished job is refused (RefusedByService, 409)."""
        return self._one(Job, await self._transport.ask_json("POST", job_path(job) + "/cancel"))

    @asks
    async def delete(self, job: JobLike) -> None:
        """Delete a finished job and all its data. An unfinished job is refused (RefusedByService, 409)."""
        await self._transport.ask("DELETE", job_path(job), also_fine=frozenset({410}))

    @asks
    async def logs(self, job: JobLike) -> list[AttemptLog]:
        """The output of the job's runner, tracebacks of errors included: one log for each attempt that wrote any."""
        return await self._all(AttemptLog, job_path(job) + "/logs", "logs")

    @asks
    async def events(self, job: JobLike) -> list[Event]:
        """Every change of the job's state, the oldest first."""
        return await self._all(Event, job_path(job) + "/events", "events")


class Jobs(Noun[K]):
    """The jobs of a service. Called, it lists them; its verbs take a job or its id."""

    get, wait, submit = verb(JobRequests.job), verb(JobRequests.wait), verb(JobRequests.submit)
    check = verb(JobRequests.check)
    cancel, retry, delete = verb(JobRequests.cancel), verb(JobRequests.retry), verb(JobRequests.delete)
    recheck, receipt = verb(JobRequests.recheck), verb(JobRequests.receipt)
    losses, loss_points = verb(JobRequests.losses), verb(JobRequests.loss_points)
    loss_curve, losses_of = verb(JobRequests.loss_curve), verb(JobRequests.losses_of)
    metrics, metric, metric_of = verb(JobRequests.metrics), verb(JobRequests.metric), verb(JobRequests.metric_of)
    logs, events, predict = verb(JobRequests.logs), verb(JobRequests.events), verb(JobRequests.predict)
    artifacts, artifact = verb(JobRequests.artifacts), verb(JobRequests.artifact)
    best, frame, export = verb(JobRequests.best), verb(JobRequests.frame), verb(JobRequests.export)
    count, summary = verb(JobRequests.count), verb(JobRequests.summary)
    act, update = verb(JobRequests.act), verb(JobRequests.update)
    watch, watch_all = verb_of_many(WatchRequests.watch), verb_of_many(WatchRequests.watch_jobs)

    @lists
    def __call__(
        self, *, where: str | None = None, sort: str | None = None, state: str | None = None,
        stage: str | None = None, batch: BatchLike | None = None, name: str | None = None, tags: Iterable[str] = (),
        limit: int | None = None,
    ) -> ListOf[Job]:  # fmt: skip
        """The jobs, the newest first, at most `limit`; one request for every 200 jobs. A notebook shows the first ten.

        where: a question, such as `loss_min < 9 and optimizer.name == "adam"` (docs/questions.md). Where few jobs
        satisfy it, the next one may take several requests. sort: a column, the largest first after a minus:
        `-metrics.accuracy.max`; jobs without a value of it are left out. tags: `course=w3`, or `course` for any value.
        """
        which = {"where": where, "sort": sort, "state": state, "stage": stage, "name": name, "tag": list(tags)}
        which |= {"batch": batch_id_if_any(batch)}
        return ListOf(Job, "jobs", which, limit)

    @lists
    def values(
        self, *columns: str, where: str | None = None, sort: str | None = None, state: str | None = None,
        stage: str | None = None, batch: BatchLike | None = None, name: str | None = None, tags: Iterable[str] = (),
        limit: int | None = None,
    ) -> ListOf[JobValues]:  # fmt: skip
        """The same jobs, each with its id and its values of some columns alone: numbers, texts and None; times as text.

        columns: the names of a question: `client.jobs.values("loss_min", "tags.course", "first_below(9)")`.
        """
        which = {"where": where, "sort": sort, "state": state, "stage": stage, "name": name, "tag": list(tags)}
        which |= {"batch": batch_id_if_any(batch), "fields": ", ".join(columns)}
        return ListOf(JobValues, "jobs", which, limit)
