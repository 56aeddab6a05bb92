"""Requests of the Client for batches: many jobs that are submitted, watched and cancelled together."""

import json
import time
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gradyard.client.base import BaseClient, as_list
from gradyard.shapes import Batch, BatchDeleted, BatchRetried, BatchSummary, Job

if TYPE_CHECKING:
    import numpy as np

Axis = Iterable[Any] | Mapping[str, Any]
"""The values that a parameter takes in a sweep."""
LOOK_SECONDS = 0.5
NDJSON = "application/x-ndjson"


class Batches:
    """The batches of a service. Called, it lists them; its verbs take the id of a batch."""

    def __init__(self, client: "BatchRequests") -> None:
        self._newest = client._newest
        self.get, self.wait, self.best = client.batch, client.wait_batch, client.best
        self.submit, self.sweep = client.submit_batch, client.sweep
        self.cancel, self.retry, self.delete = client.cancel_batch, client.retry_batch, client.delete_batch
        self.export, self.export_lines = client.export, client.export_lines

    def __call__(self, *, limit: int | None = None) -> Iterator[BatchSummary]:
        """The batches, the newest first, at most `limit`; one request for every 200 batches."""
        return self._newest(BatchSummary, "batches", {}, limit)


class BatchRequests(BaseClient):
    """Submit, list, wait for, export, cancel, retry and delete batches."""

    @cached_property
    def batches(self) -> Batches:
        """The batches. `client.batches()` lists them, `client.batches.cancel(id)` is `client.cancel_batch(id)`."""
        return Batches(self)

    def submit_batch(
        self, jobs: Iterable[Mapping[str, Any]], *, name: str | None = None, idempotency_key: str | None = None
    ) -> Batch:
        """Submit many jobs, all or none, and return their batch."""
        return self._submit({"jobs": list(jobs), "name": name}, idempotency_key)

    def sweep(
        self, spec: Mapping[str, Any] | None = None, *, grid: Mapping[str, Axis] | None = None,
        random: Mapping[str, Mapping[str, Any]] | None = None, samples: int = 1, random_seed: int = 0,
        name: str | None = None, idempotency_key: str | None = None, **parameters: Any,
    ) -> Batch:  # fmt: skip
        """Submit the spec with every combination of `grid`'s values, `samples` times each with what `random` draws.

        `sweep({"stage": "nn"}, grid=...)` and `sweep(stage="nn", grid=...)` are the same. A nested parameter is named
        by its path: `{"optimizer.momentum": [0.5, 0.9], "seed": range(100)}`,
        `{"learning_rate": {"low": 1e-7, "high": 1e-5, "scale": "log"}}`.

        The values of an axis are a list, an array of one dimension, a range, or
        `{"start": 0.1, "stop": 0.6, "step": 0.1}`, whose end is left out.
        """
        axes = {path: _as_axis(path, values) for path, values in (grid or {}).items()}
        drawn = {path: dict(each) for path, each in (random or {}).items()}
        whole = {**(spec or {}), **parameters}
        sweep = {"spec": whole, "grid": axes, "random": drawn, "samples": samples, "random_seed": random_seed}
        return self._submit(sweep | {"name": name}, idempotency_key)

    def batch(self, batch_id: str) -> Batch:
        """The batch in its present state."""
        return self._one(Batch, self._transport.ask_json("GET", _of(batch_id)))

    def export(self, batch_id: str) -> "Iterator[tuple[Job, np.ndarray]]":
        """Every job of a batch with its losses, of shape (steps recorded,), one by one as they arrive.

        The jobs come without spec and warnings; the losses are exact, in the dtype that was trained.
        """
        import numpy as np
        import orjson

        for line in self._transport.lines(f"{_of(batch_id)}/export?losses=base64", NDJSON):
            fields = orjson.loads(line)
            dtype = np.dtype(fields.pop("dtype"))
            losses = np.frombuffer(b64decode(fields.pop("losses")), dtype.newbyteorder("<"))
            yield self._one(Job, fields), losses.astype(dtype)

    def export_lines(self, batch_id: str, *, csv: bool = False) -> Iterator[str]:
        """The jobs of a batch with their losses as lines: a JSON object for each job, or CSV of every loss."""
        return self._transport.lines(f"{_of(batch_id)}/export", "text/csv" if csv else NDJSON)

    def best(self, batch_id: str, limit: int = 10) -> list[Job]:
        """The succeeded jobs of a batch with the lowest last loss, the best first, at most `limit`."""
        answer = self._transport.ask_json("GET", _of(batch_id) + "/best", params={"limit": limit})
        return self._many(Job, answer, "jobs")

    def wait_batch(self, batch_id: str, on_progress: Callable[[Batch], None] | None = None) -> Batch:
        """Wait until every job is finished, and return the batch. `on_progress` gets it about twice a second."""
        while True:
            batch = self.batch(batch_id)
            if on_progress is not None:
                on_progress(batch)
            if batch.finished:
                return batch
            time.sleep(LOOK_SECONDS)

    def cancel_batch(self, batch_id: str) -> Batch:
        """Cancel all unfinished jobs of a batch."""
        return self._one(Batch, self._transport.ask_json("POST", _of(batch_id) + "/cancel"))

    def retry_batch(
        self, batch_id: str, *, states: Sequence[str] | None = None, idempotency_key: str | None = None
    ) -> BatchRetried:
        """Submit the failed jobs of a batch anew, all or none; each new job takes the place of the old one in it.

        states: of `failed`, `cancelled`. Default: `failed` alone.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        body = None if states is None else json.dumps({"states": list(states)}).encode()
        path = _of(batch_id) + "/retry"
        return self._one(BatchRetried, self._transport.ask_json("POST", path, body=body, headers=headers))

    def delete_batch(self, batch_id: str) -> BatchDeleted:
        """Delete a finished batch with all of its jobs. An unfinished one is refused (RefusedByService, 409).

        Where it was deleted already, as by a call whose answer was lost, `deleted` is 0.
        """
        answer = self._transport.ask_json("DELETE", _of(batch_id), also_fine=frozenset({410}))
        if answer.get("status") == 410:
            return BatchDeleted(id=batch_id, deleted=0)
        return self._one(BatchDeleted, answer)

    def _submit(self, body: Mapping[str, Any], idempotency_key: str | None) -> Batch:
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        data = json.dumps(body, default=as_list).encode()
        return self.batch(self._transport.ask_json("POST", "/v1/batches", body=data, headers=headers)["id"])


def _as_axis(path: str, values: Axis) -> Any:
    """The values as the service reads them. TypeError for a text or a single value, which may be meant as a list."""
    if isinstance(values, Mapping):
        return dict(values)
    if isinstance(values, range) and values.step > 0:
        return {"start": values.start, "stop": values.stop, "step": values.step}
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"the values of {path} must be a list, an array, a range or a mapping, not {values!r}")
    return list(values)


def _of(batch_id: str) -> str:
    return f"/v1/batches/{quote(str(batch_id), safe='')}"
