"""Requests of the Client for the best jobs: of a batch, or of all those of which something is true."""

from typing import Literal

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, asks
from gradyard.client.identities import BatchLike, batch_id_if_any, batch_path
from gradyard.client.rows import Rows
from gradyard.shapes import BestJobs, Job

Mode = Literal["min", "max"]


class BestRequests(BaseClient[K]):
    """Fetch the succeeded jobs that have the best value of a metric, the best first."""

    @asks
    async def best(
        self, batch: BatchLike | None = None, limit: int = 10, *, where: str | None = None, stage: str | None = None,
        metric: str | None = None, mode: Mode | None = None,
    ) -> list[Job]:  # fmt: skip
        """The best succeeded jobs of a batch, or of all, the best first, at most `limit`.

        where: only jobs of which it is true, as of `jobs()`; stage: only of this stage. metric: `loss` (the last one),
        `loss_min`, the name of a metric (its value for the final weights), or a figure of one, `metrics.accuracy.max`.
        mode: whether the smallest or the largest is best. Default of both: those of the jobs' stage, which for the
        stages of the tutorial is the lowest last loss; where the jobs are of stages with different ones, the request
        is refused (RefusedByService, 422).
        """
        found = await BestRequests.best_jobs(self, batch, limit, where=where, stage=stage, metric=metric, mode=mode)
        return Rows(found.jobs)

    @asks
    async def best_jobs(
        self, batch: BatchLike | None = None, limit: int = 10, *, where: str | None = None, stage: str | None = None,
        metric: str | None = None, mode: Mode | None = None,
    ) -> BestJobs:  # fmt: skip
        """The jobs that `best` gives, with the figure by which they are the best and its value in each of them."""
        by = {"metric": metric, "mode": mode, "limit": limit}
        if batch is not None and where is None and stage is None:
            path, of = f"{batch_path(batch)}/best", {}
        else:
            path, of = "/v1/jobs/best", {"batch": batch_id_if_any(batch), "where": where, "stage": stage}
        return self._one(BestJobs, await self._transport.ask_json("GET", path, params={**of, **by}))
