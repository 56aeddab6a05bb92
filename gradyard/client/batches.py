"""Requests of the Client for batches: many jobs that are submitted, watched and cancelled together."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from gradyard.client.base import as_list
from gradyard.client.definitions import K, Noun, asks, verb, verb_of_many
from gradyard.client.errors import WaitTimeout
from gradyard.client.exports.requests import ExportRequests
from gradyard.client.history.best import BestRequests
from gradyard.client.identities import BatchLike, DependencyLike, batch_id, batch_path, dependencies
from gradyard.client.lists import ListOf, lists
from gradyard.client.live.watching import WatchRequests
from gradyard.shapes import Batch, BatchChecked, BatchDeleted, BatchRetried, BatchSummary

Axis = Iterable[Any] | Mapping[str, Any]
"""The values that a parameter takes in a sweep."""
LOOK_SECONDS = 0.5


class BatchRequests(BestRequests[K], ExportRequests[K]):
    """Submit, list, wait for, cancel, retry and delete batches."""

    @cached_property
    def batches(self) -> "Batches[K]":
        """The batches. `client.batches()` lists them, `client.batches.cancel(id)` is `client.cancel_batch(id)`."""
        return Batches(self)

    @asks
    async def submit_batch(
        self, jobs: Iterable[Mapping[str, Any]], *, name: str | None = None,
        depends_on: DependencyLike | Iterable[DependencyLike] | None = None, idempotency_key: str | None = None,
        precedence: int = 0,
    ) -> Batch:  # fmt: skip
        """Submit many jobs, all or none, and return their batch.

        depends_on: jobs and batches, or their ids, that must succeed before any of them is trained, beside what each
        names itself. `{"id": job, "condition": "ended"}` waits for an end of any kind. At most 16.
        precedence: -100 to 100, before or after the work of all projects; other than 0 for operators alone.
        """
        body = {"jobs": list(jobs), "name": name, **dependencies(depends_on)}
        return await self._submit(body, idempotency_key, precedence)

    @asks
    async def sweep(
        self, /, spec: Mapping[str, Any] | None = None, *, grid: Mapping[str, Axis] | None = None,
        random: Mapping[str, Mapping[str, Any]] | None = None, samples: int = 1, random_seed: int = 0,
        name: str | None = None, depends_on: DependencyLike | Iterable[DependencyLike] | None = None,
        idempotency_key: str | None = None, precedence: int = 0, **parameters: Any,
    ) -> Batch:  # fmt: skip
        """Submit the spec with every combination of `grid`'s values, `samples` times each with what `random` draws.

        `sweep({"stage": "nn"}, grid=...)` and `sweep(stage="nn", grid=...)` are the same. A nested parameter is named
        by its path: `{"optimizer.momentum": [0.5, 0.9], "seed": range(100)}`,
        `{"learning_rate": {"low": 1e-7, "high": 1e-5, "scale": "log"}}`.

        The values of an axis are a list, an array of one dimension, a range, or
        `{"start": 0.1, "stop": 0.6, "step": 0.1}`, whose end is left out.

        depends_on: jobs and batches, or their ids, that must succeed before any of the jobs is trained.
        `{"id": job, "condition": "ended"}` waits for an end of any kind. At most 16.
        precedence: -100 to 100, before or after the work of all projects; other than 0 for operators alone.
        """
        sweep = _sweep({**(spec or {}), **parameters}, grid, random, samples, random_seed)
        return await self._submit(sweep | {"name": name} | dependencies(depends_on), idempotency_key, precedence)

    @asks
    async def check_sweep(
        self, /, spec: Mapping[str, Any] | None = None, *, grid: Mapping[str, Axis] | None = None,
        random: Mapping[str, Mapping[str, Any]] | None = None, samples: int = 1, random_seed: int = 0,
        depends_on: DependencyLike | Iterable[DependencyLike] | None = None, **parameters: Any,
    ) -> BatchChecked:  # fmt: skip
        """How many jobs the sweep would make, the spec of the first, and warnings by place. Nothing is stored.

        Raises RefusedByService where `sweep` would refuse it.
        """
        sweep = _sweep({**(spec or {}), **parameters}, grid, random, samples, random_seed)
        body = json.dumps(sweep | dependencies(depends_on), default=as_list).encode()
        about: dict[str, Any] = {"headers": {"Content-Type": "application/json"}, "params": {"dry_run": "true"}}
        return self._one(BatchChecked, await self._transport.ask_json("POST", "/v1/batches", body=body, **about))

    @asks
    async def batch(self, batch: BatchLike) -> Batch:
        """The batch in its present state."""
        return self._one(Batch, await self._transport.ask_json("GET", batch_path(batch)))

    @asks
    async def wait_batch(
        self, batch: BatchLike, timeout: float | None = None, on_progress: Callable[[Batch], None] | None = None
    ) -> Batch:
        """Wait until every job is finished, and return the batch.

        timeout: in seconds; after it, WaitTimeout is raised, which says how far the batch is, and the jobs go on. None:
        no limit. on_progress: is called with the batch about twice a second, and once when it is finished.
        """
        began = time.monotonic()
        while True:
            within = None if timeout is None else max(0.0, timeout - (time.monotonic() - began))
            seen = self._one(Batch, await self._transport.ask_json("GET", batch_path(batch), within=within))
            if on_progress is not None:
                on_progress(seen)
            if seen.finished:
                return seen
            left = LOOK_SECONDS if timeout is None else timeout - (time.monotonic() - began)
            if timeout is not None and left <= 0:
                raise WaitTimeout(seen, timeout)
            await self._transport.pause(min(LOOK_SECONDS, left))

    @asks
    async def cancel_batch(self, batch: BatchLike) -> Batch:
        """Cancel all unfinished jobs of a batch."""
        return self._one(Batch, await self._transport.ask_json("POST", batch_path(batch) + "/cancel"))

    @asks
    async def retry_batch(
        self, batch: BatchLike, *, states: Sequence[str] | None = None, set: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> BatchRetried:  # fmt: skip
        """Submit the failed jobs of a batch anew, all or none; each new job takes the place of the old one in it.

        states: of `failed`, `cancelled`. Default: `failed` alone. set: new values of parameters, by their paths:
        `{"learning_rate": 1e-7}`.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        given = {"states": None if states is None else list(states), "set": set}
        asked = {name: value for name, value in given.items() if value}
        body = json.dumps(asked, default=as_list).encode() if asked else None
        path = batch_path(batch) + "/retry"
        return self._one(BatchRetried, await self._transport.ask_json("POST", path, body=body, headers=headers))

    @asks
    async def delete_batch(self, batch: BatchLike) -> BatchDeleted:
        """Delete a finished batch with all of its jobs. An unfinished one is refused (RefusedByService, 409).

        Where it was deleted already, as by a call whose answer was lost, `deleted` is 0.
        """
        answer = await self._transport.ask_json("DELETE", batch_path(batch), also_fine=frozenset({410}))
        if answer.get("status") == 410:
            return BatchDeleted(id=batch_id(batch), deleted=0)
        return self._one(BatchDeleted, answer)

    async def _submit(self, body: Mapping[str, Any], idempotency_key: str | None, precedence: int) -> Batch:
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        data = json.dumps(body, default=as_list).encode()
        params = {"precedence": precedence or None}
        made = await self._transport.ask_json("POST", "/v1/batches", body=data, headers=headers, params=params)
        return await BatchRequests.batch(self, str(made.get("id")))


class Batches(Noun[K]):
    """The batches of a service. Called, it lists them; its verbs take a batch or its id."""

    get, wait, best = verb(BatchRequests.batch), verb(BatchRequests.wait_batch), verb(BatchRequests.best)
    submit, sweep = verb(BatchRequests.submit_batch), verb(BatchRequests.sweep)
    check_sweep = verb(BatchRequests.check_sweep)
    cancel, retry = verb(BatchRequests.cancel_batch), verb(BatchRequests.retry_batch)
    delete, export = verb(BatchRequests.delete_batch), verb(BatchRequests.export)
    export_jobs, export_lines = verb_of_many(BatchRequests.export_jobs), verb_of_many(BatchRequests.export_lines)
    watch = verb_of_many(WatchRequests.watch_batch)

    @lists
    def __call__(self, *, limit: int | None = None) -> ListOf[BatchSummary]:
        """The batches, the newest first, at most `limit`. A notebook shows the first ten.

        One request is made for every 200 batches.
        """
        return ListOf(BatchSummary, "batches", {}, limit)


def _sweep(
    spec: dict[str, Any], grid: Mapping[str, Axis] | None, random: Mapping[str, Mapping[str, Any]] | None,
    samples: int, random_seed: int,
) -> dict[str, Any]:  # fmt: skip
    axes = {path: _as_axis(path, values) for path, values in (grid or {}).items()}
    drawn = {path: _as_draws(path, each) for path, each in (random or {}).items()}
    return {"spec": spec, "grid": axes, "random": drawn, "samples": samples, "random_seed": random_seed}


def _as_draws(path: str, each: Any) -> dict[str, Any]:
    if not isinstance(each, Mapping):
        raise TypeError(f'the draws of {path} are a mapping such as {{"low": 1e-7, "high": 1e-5}}, not {each!r}')
    return dict(each)


def _as_axis(path: str, values: Axis) -> Any:
    """The values as the service reads them. TypeError for a text or a single value, which may be meant as a list."""
    if isinstance(values, Mapping):
        return dict(values)
    if isinstance(values, range) and values.step > 0:
        return {"start": values.start, "stop": values.stop, "step": values.step}
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"the values of {path} must be a list, an array, a range or a mapping, not {values!r}")
    return list(values)
