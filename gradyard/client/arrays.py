"""Requests of the Client for loss curves, and for the named curves and arrays that a stage reports beside them."""

import io
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from gradyard.client.base import BaseClient, as_list, job_path
from gradyard.client.errors import AnswerNotUnderstood
from gradyard.shapes import Artifact

if TYPE_CHECKING:
    import numpy as np

NPY = "application/x-npy"


class ArrayRequests(BaseClient):
    """List and fetch curves and arrays. Every array has the dtype in which it was stored."""

    def losses(self, job_id: str) -> "np.ndarray":
        """The loss of every step so far, in an array of shape (steps done,) and of the dtype that was trained.

        The loss of step t belongs to the weights before update t.
        """
        return self._array(job_id, "losses")

    def loss_points(self, job_id: str, points: int = 1000) -> "tuple[np.ndarray, np.ndarray]":
        """At most `points` points of the loss curve: steps (int64) and losses (float64), of equal length."""
        import numpy as np

        answer = self._transport.ask_json("GET", job_path(job_id) + "/losses", params={"points": points})
        return np.array(answer["steps"], dtype=np.int64), np.array(answer["losses"], dtype=np.float64)

    def predict(self, job_id: str, x: "Iterable[float]") -> "np.ndarray":
        """What the fitted model says at each x: y in float64, of shape (len(x),), in the units of the data as sent.

        It is NaN where y is too large for a float64.
        """
        import numpy as np

        body = json.dumps({"x": list(x)}, default=as_list).encode()
        headers = {"Content-Type": "application/json"}
        answer = self._transport.ask_json("POST", job_path(job_id) + "/predict", body=body, headers=headers)
        return np.array(answer["y"], dtype=np.float64)

    def metrics(self, job_id: str) -> list[str]:
        """The names of the curves that the job has beside its loss."""
        return list(self._transport.ask_json("GET", job_path(job_id) + "/metrics")["metrics"])

    def metric(self, job_id: str, name: str) -> "tuple[np.ndarray, np.ndarray]":
        """Every value of a named curve: the steps at which it was measured, and the values, of equal length."""
        import numpy as np

        path = f"/metrics/{quote(name, safe='')}"
        every = self._transport.ask_json("GET", job_path(job_id) + path, params={"points": 2})["every"]
        values = self._array(job_id, path.removeprefix("/"))
        return np.arange(len(values)) * every, values

    def artifacts(self, job_id: str) -> list[Artifact]:
        """The named arrays of a job: names, dtypes and shapes, without their data."""
        return self._many(Artifact, self._transport.ask_json("GET", job_path(job_id) + "/artifacts"), "artifacts")

    def artifact(self, job_id: str, name: str) -> "np.ndarray":
        """The data of a named array, in its own dtype and shape."""
        return self._array(job_id, f"artifacts/{quote(name, safe='')}")

    def _array(self, job_id: str, path: str) -> "np.ndarray":
        import numpy as np

        answer = self._transport.ask("GET", f"{job_path(job_id)}/{path}", headers={"Accept": NPY})
        try:
            array: np.ndarray = np.load(io.BytesIO(answer.content), allow_pickle=False)
        except ValueError:
            raise AnswerNotUnderstood(self.url, f"{path} is no NPY") from None
        return array
