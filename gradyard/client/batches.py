"""Requests of the Client for batches: many jobs that are submitted, watched and cancelled together."""

import json
import time
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gradyard.client.base import BaseClient, as_list
from gradyard.shapes import Batch, BatchSummary, Job

if TYPE_CHECKING:
    import numpy as np

LOOK_SECONDS = 0.5
NDJSON = "application/x-ndjson"
PAGE = 200


class BatchRequests(BaseClient):
    """Submit, list, wait for, export and cancel batches."""

    def submit_batch(
        self, jobs: Iterable[Mapping[str, Any]], *, name: str | None = None, idempotency_key: str | None = None
    ) -> Batch:
        """Submit many jobs, all or none, and return their batch."""
        return self._submit({"jobs": list(jobs), "name": name}, idempotency_key)

    def sweep(
        self, spec: Mapping[str, Any], *, grid: Mapping[str, Sequence[Any] | range] | None = None,
        random: Mapping[str, Mapping[str, Any]] | None = None, samples: int = 1, random_seed: int = 0,
        name: str | None = None, idempotency_key: str | None = None,
    ) -> Batch:  # fmt: skip
        """Submit the spec with every combination of `grid`'s values, `samples` times each with what `random` draws.

        A nested parameter is named by its path: `{"optimizer.momentum": [0.5, 0.9], "seed": range(100)}`,
        `{"learning_rate": {"low": 1e-7, "high": 1e-5, "scale": "log"}}`.
        """
        axes = {path: _as_axis(values) for path, values in (grid or {}).items()}
        drawn = {path: dict(each) for path, each in (random or {}).items()}
        sweep = {"spec": dict(spec), "grid": axes, "random": drawn, "samples": samples, "random_seed": random_seed}
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

    def batches(self, *, limit: int | None = None) -> Iterator[BatchSummary]:
        """The batches, the newest first, at most `limit`."""
        cursor, left = None, limit
        while left is None or left > 0:
            params = {"limit": min(left or PAGE, PAGE), "cursor": cursor}
            page = self._transport.ask_json("GET", "/v1/batches", params=params)
            yield from self._many(BatchSummary, page, "batches")
            cursor = page.get("next_cursor")
            left = None if left is None else left - len(page["batches"])
            if cursor is None:
                return

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

    def _submit(self, body: Mapping[str, Any], idempotency_key: str | None) -> Batch:
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        data = json.dumps(body, default=as_list).encode()
        return self.batch(self._transport.ask_json("POST", "/v1/batches", body=data, headers=headers)["id"])


def _as_axis(values: Sequence[Any] | range) -> Any:
    if isinstance(values, range) and values.step > 0:
        return {"start": values.start, "stop": values.stop, "step": values.step}
    return list(values)


def _of(batch_id: str) -> str:
    return f"/v1/batches/{quote(str(batch_id), safe='')}"
