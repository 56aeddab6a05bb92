"""Requests of the Client for curves: the losses of jobs and their named metrics, of one job or of many."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, asks
from gradyard.client.errors import AnswerNotUnderstood
from gradyard.client.identities import JobLike, job_id, job_path
from gradyard.shapes import Losses, LossesOfJob, LossesOfJobs, MetricCurve, MetricList, MetricOfJob, MetricOfJobs
from gradyard.shapes.histories import MOST_CURVES, MOST_POINTS_OF_CURVES

if TYPE_CHECKING:
    import numpy as np

NPY = "application/x-npy"


class CurveRequests(BaseClient[K]):
    """Fetch curves, whole or a range of their steps. As in a slice, `stop` is left out, and both may be negative."""

    @asks
    async def losses(self, job: JobLike, start: int | None = None, stop: int | None = None) -> "np.ndarray":
        """The loss of every step so far, in an array of shape (steps,) and of the dtype that was trained.

        start, stop: only these steps; `start=-100` for the last hundred. The loss of step t belongs to the weights
        before update t.
        """
        return (await CurveRequests.loss_curve(self, job, start, stop))[1]

    @asks
    async def loss_curve(
        self, job: JobLike, start: int | None = None, stop: int | None = None
    ) -> "tuple[np.ndarray, np.ndarray]":
        """The steps so far (int64), and their losses in the dtype that was trained, of equal length.

        start, stop: of these steps alone.
        """
        import numpy as np

        losses, headers = await self._array(job, "losses", _between(start, stop))
        return np.arange(len(losses)) + int(headers.get("First-Step", 0)), losses

    @asks
    async def loss_points(
        self, job: JobLike, points: int = 1000, start: int | None = None, stop: int | None = None
    ) -> "tuple[np.ndarray, np.ndarray]":
        """At most `points` points of the loss curve: steps (int64) and losses (float64), of equal length.

        start, stop: of these steps alone.
        """
        asked = {"points": points, **_between(start, stop)}
        answer = await self._transport.ask_json("GET", job_path(job) + "/losses", params=asked)
        found = self._one(Losses, answer)
        return _arrays(found.steps, found.losses)

    @asks
    async def losses_of(
        self, jobs: Iterable[JobLike], *, points: int = 1000, start: int | None = None, stop: int | None = None,
        smooth: int = 1,
    ) -> "dict[str, tuple[np.ndarray, np.ndarray]]":  # fmt: skip
        """At most `points` points of each loss curve, by the whole id of the job: steps and losses, of equal length.

        start, stop: of these steps alone. smooth: the mean of so many steps around each, an odd number. One request
        for every 64 jobs.
        """
        found: list[LossesOfJob] = []
        for asked in _several(jobs, points, _between(start, stop) | ({} if smooth == 1 else {"smooth": smooth})):
            answer = await self._transport.ask_json("GET", "/v1/losses", params=asked)
            found += self._one(LossesOfJobs, answer).curves
        return {each.job: _arrays(each.steps, each.losses) for each in found}

    @asks
    async def metrics(self, job: JobLike) -> list[str]:
        """The names of the curves that the job has beside its loss."""
        answer = await self._transport.ask_json("GET", job_path(job) + "/metrics")
        return list(self._one(MetricList, answer).metrics)

    @asks
    async def metric(
        self, job: JobLike, name: str, start: int | None = None, stop: int | None = None
    ) -> "tuple[np.ndarray, np.ndarray]":
        """Every value of a named curve: the steps at which it was measured, and the values, of equal length.

        The last one is that of the final weights, at the number of steps. start, stop: of these steps alone.
        """
        import numpy as np

        path, between = f"metrics/{quote(name, safe='')}", _between(start, stop)
        values, headers = await self._array(job, path, between)
        if "Every" not in headers:  # an older service
            few = await self._transport.ask_json("GET", f"{job_path(job)}/{path}", params={"points": 2})
            return np.arange(len(values)) * self._one(MetricCurve, few).every, values
        steps = int(headers.get("First-Step", 0)) + np.arange(len(values)) * int(headers["Every"])
        if len(steps):
            steps[-1] = int(headers["Last-Step"])  # that of the final weights, which `every` need not divide
        return steps, values

    @asks
    async def metric_of(
        self, jobs: Iterable[JobLike], name: str, *, points: int = 1000,
        start: int | None = None, stop: int | None = None,
    ) -> "dict[str, tuple[np.ndarray, np.ndarray]]":  # fmt: skip
        """At most `points` values of one metric of each job, by its whole id: steps and values, of equal length.

        They are empty where a job has no such metric. start, stop: of these steps alone. One request for every 64 jobs.
        """
        found: list[MetricOfJob] = []
        path = f"/v1/metrics/{quote(name, safe='')}"
        for asked in _several(jobs, points, _between(start, stop)):
            answer = await self._transport.ask_json("GET", path, params=asked)
            found += self._one(MetricOfJobs, answer).curves
        return {each.job: _arrays(each.steps, each.values) for each in found}

    async def _array(
        self, job: JobLike, path: str, params: Mapping[str, Any] | None = None
    ) -> "tuple[np.ndarray, Mapping[str, str]]":
        """The array in NPY at a path below a job, and the headers of the answer."""
        import numpy as np

        whole = f"{job_path(job)}/{path}"
        answer = await self._transport.ask("GET", whole, params=params, headers={"Accept": NPY})
        try:
            return np.load(io.BytesIO(answer.content), allow_pickle=False), answer.headers
        except ValueError:
            raise AnswerNotUnderstood(self.url, f"{path} is no NPY") from None


def _between(start: int | None, stop: int | None) -> dict[str, int | None]:
    return {"from": start, "to": stop}


def _several(jobs: Iterable[JobLike], points: int, others: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The parameters of each request for curves of these jobs: as many jobs as one answer may have."""
    ids = [job_id(each) for each in jobs]
    most = max(1, min(MOST_CURVES, MOST_POINTS_OF_CURVES // max(1, points)))
    for begin in range(0, len(ids), most):
        yield {"job": ids[begin : begin + most], "points": points, **others}


def _arrays(steps: Any, values: Any) -> "tuple[np.ndarray, np.ndarray]":
    import numpy as np

    return np.array(steps, dtype=np.int64), np.array(values, dtype=np.float64)
