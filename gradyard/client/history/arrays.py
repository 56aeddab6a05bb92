"""Requests of the Client for what a job found beside its curves: predictions of its model, and named arrays."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from gradyard.client.base import as_list
from gradyard.client.definitions import K, asks
from gradyard.client.history.curves import CurveRequests
from gradyard.client.identities import JobLike, job_path
from gradyard.shapes import Artifact, Predictions

if TYPE_CHECKING:
    import numpy as np


class ArrayRequests(CurveRequests[K]):
    """List and fetch arrays, each in the dtype in which it was stored, and predict."""

    @asks
    async def predict(self, job: JobLike, x: "Iterable[float]") -> "np.ndarray":
        """What the fitted model says at each x: y in float64, of shape (len(x),), in the units of the data as sent.

        It is NaN where y is too large for a float64.
        """
        import numpy as np

        body = json.dumps({"x": list(x)}, default=as_list).encode()
        headers = {"Content-Type": "application/json"}
        answer = await self._transport.ask_json("POST", job_path(job) + "/predict", body=body, headers=headers)
        return np.array(self._one(Predictions, answer).y, dtype=np.float64)

    @asks
    async def artifacts(self, job: JobLike) -> list[Artifact]:
        """The named arrays of a job: names, dtypes and shapes, without their data."""
        return self._many(Artifact, await self._transport.ask_json("GET", job_path(job) + "/artifacts"), "artifacts")

    @asks
    async def artifact(self, job: JobLike, name: str) -> "np.ndarray":
        """The data of a named array, in its own dtype and shape."""
        return (await self._array(job, f"artifacts/{quote(name, safe='')}"))[0]
