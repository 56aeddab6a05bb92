"""What the Client says of named curves and arrays, which a stage of a plug-in may find beside its losses."""

import io
from typing import TYPE_CHECKING
from urllib.parse import quote

from gradyard.client.base import BaseClient, job_path
from gradyard.client.errors import AnswerNotUnderstood
from gradyard.shapes import Artifact

if TYPE_CHECKING:
    import numpy as np

NPY = "application/x-npy"


class FindingRequests(BaseClient):
    """List and fetch them; every array comes as it was stored, in its own dtype."""

    def losses(self, job_id: str) -> "np.ndarray":
        """The loss of every step so far: (steps done,), float32 or float64 as trained; the loss of step t belongs to
        the weights before update t."""
        return self._array(job_id, "losses")

    def loss_points(self, job_id: str, points: int = 1000) -> "tuple[np.ndarray, np.ndarray]":
        """The loss curve in at most `points` points, for drawing: steps and losses, each (points,)."""
        import numpy as np

        answer = self._transport.ask_json("GET", job_path(job_id) + "/losses", params={"points": points})
        return np.array(answer["steps"], dtype=np.int64), np.array(answer["losses"], dtype=np.float64)

    def metrics(self, job_id: str) -> list[str]:
        """The names of the curves that the job has beside its loss."""
        return list(self._transport.ask_json("GET", job_path(job_id) + "/metrics")["metrics"])

    def metric(self, job_id: str, name: str) -> "tuple[np.ndarray, np.ndarray]":
        """One of these curves: steps and values, each (measured steps,)."""
        import numpy as np

        path = f"/metrics/{quote(name, safe='')}"
        every = self._transport.ask_json("GET", job_path(job_id) + path, params={"points": 2})["every"]
        values = self._array(job_id, path.removeprefix("/"))
        return np.arange(len(values)) * every, values

    def artifacts(self, job_id: str) -> list[Artifact]:
        """The arrays that the job found: names, dtypes and shapes."""
        return self._many(Artifact, self._transport.ask_json("GET", job_path(job_id) + "/artifacts"), "artifacts")

    def artifact(self, job_id: str, name: str) -> "np.ndarray":
        """One of these arrays."""
        return self._array(job_id, f"artifacts/{quote(name, safe='')}")

    def _array(self, job_id: str, path: str) -> "np.ndarray":
        import numpy as np

        answer = self._transport.ask("GET", f"{job_path(job_id)}/{path}", headers={"Accept": NPY})
        try:
            array: np.ndarray = np.load(io.BytesIO(answer.content), allow_pickle=False)
        except ValueError:
            raise AnswerNotUnderstood(self.url, f"{path} is no NPY") from None
        return array
