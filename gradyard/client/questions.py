"""Requests of the Client for all jobs of a question: count, summarize and change them; and changes of one job."""

import json
import uuid
from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any

from gradyard.client.base import BaseClient, as_list
from gradyard.client.definitions import K, asks
from gradyard.client.identities import BatchLike, JobLike, batch_id_if_any, job_path
from gradyard.shapes import ActionDone, Job, JobCount, JobGroups

ACTION_SECONDS = 600.0  # of one action, on very many jobs
JSON = {"Content-Type": "application/json"}


class QuestionRequests(BaseClient[K]):
    """Count, summarize, cancel, retry, delete and tag all jobs of a question; change one job."""

    @asks
    async def count(
        self, where: str | None = None, *, state: str | None = None, stage: str | None = None,
        batch: BatchLike | None = None,
    ) -> int:  # fmt: skip
        """How many jobs there are, or satisfy a question such as `loss_min < 9` (docs/questions.md)."""
        params = {"where": where, "state": state, "stage": stage, "batch": batch_id_if_any(batch)}
        return self._one(JobCount, await self._transport.ask_json("GET", "/v1/jobs/count", params=params)).count

    @asks
    async def summary(
        self, where: str | None = None, *, group: str | Sequence[str] = (), of: str | Sequence[str] = (),
        state: str | None = None, stage: str | None = None, batch: BatchLike | None = None,
    ) -> JobGroups:  # fmt: skip
        """The jobs of a question in groups: for each how many, and figures of columns, median and p95 among them.

        group, of: names of columns, `group=["optimizer.name", "learning_rate"], of="loss_min"`. Jobs with the same
        values in `group` are one group; without any, all are one. A thousand groups at most; `more` says of others.
        """
        params = {"where": where, "state": state, "stage": stage, "batch": batch_id_if_any(batch)}
        params |= {"group": _with_commas(group), "of": _with_commas(of)}
        return self._one(JobGroups, await self._transport.ask_json("GET", "/v1/jobs/summary", params=params))

    @asks
    async def act(
        self, action: str, where: str, *, expected_count: int | None = None,
        tags: Mapping[str, str | None] | None = None, set: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> ActionDone:  # fmt: skip
        """Cancel, retry, delete or tag all jobs that satisfy a question, and say to how many it was done.

        action: `cancel`, `retry`, `delete` or `tag`. expected_count: where another number of jobs satisfies the
        question, nothing is done (RefusedByService, 409). tags: for `tag`, new values by key; None takes a tag away.
        set: for `retry`, new values of parameters by their paths: `{"learning_rate": 1e-7}`.

        Where the answer is lost (Unreachable), a retry was done to all or none, and may be sent again with its
        idempotency_key; the others may have been done in part, and the same call goes on.
        """
        body = {"action": action, "where": where, "expected_count": expected_count, "tags": tags, "set": set}
        given = {name: value for name, value in body.items() if value is not None}
        is_retry = action == "retry"
        key = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())} if is_retry else {}
        return self._one(ActionDone, await self._transport.ask_json(
            "POST", "/v1/jobs/actions", body=json.dumps(given, default=as_list).encode(), headers=JSON | key,
            hold_seconds=ACTION_SECONDS, once=not is_retry,
        ))  # fmt: skip

    @asks
    async def update(
        self, job: JobLike, *, name: str | EllipsisType | None = ..., tags: Mapping[str, str | None] | None = None,
        pinned: bool | None = None, priority: int | None = None,
    ) -> Job:  # fmt: skip
        """Change a job and return it. What is not named stays, and so does its spec.

        name: None takes it away. tags: new values by key; None takes a tag away, other tags stay. pinned: kept, so that
        retention and deletions leave it. priority: of a queued job, else it is refused (RefusedByService, 409).
        """
        patch: dict[str, Any] = {} if name is ... else {"name": name}
        others = {"tags": tags, "pinned": pinned, "priority": priority}
        patch |= {key: value for key, value in others.items() if value is not None}
        body = json.dumps(patch).encode()
        return self._one(Job, await self._transport.ask_json("PATCH", job_path(job), body=body, headers=JSON))


def _with_commas(names: str | Sequence[str]) -> str | None:
    return names or None if isinstance(names, str) else ", ".join(names) or None
