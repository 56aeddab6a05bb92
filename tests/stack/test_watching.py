"""Jobs and batches are watched while the API is killed and Redis stops: what was told is what is stored."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from gradyard import Client
from gradyard.client.live.watching import BatchEvent, JobEvent
from gradyard.jobs.states import State
from gradyard.shapes import Batch, BatchNow, CurvePart, Job, Move
from tests.stack.conftest import Hurt
from tests.stack.service_processes import Service, slow_spec
from tests.stack.until import until

pytestmark = pytest.mark.stack


def told_of_a_job(hurt: Hurt, seconds: float) -> tuple[str, list[JobEvent]]:
    """Watch a job of so many seconds, in which the API is killed and Redis stops. Its id, and what was told."""
    service, told = hurt.service, list[JobEvent]()
    job = service.client.submit(slow_spec(seconds))

    def watch() -> None:
        with Client(service.url, retry_seconds=300.0) as client:
            for event in client.watch(job, points="all"):
                told.append(event)

    def parts() -> list[CurvePart]:
        return [each for each in told if isinstance(each, CurvePart)]

    def one_more() -> None:
        seen = len(parts())
        until(lambda: len(parts()) > seen or isinstance(told[-1], Job), [service.pool])

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        until(parts, [service.api, service.pool])
        service.api.kill()
        service.api.start()
        one_more()
        hurt.redis.kill()
        one_more()
        watching.result(timeout=600)
    return job.id, told


def test_a_watched_job_is_told_whole_through_a_killed_api_and_a_redis_that_has_stopped(
    hurt: Hurt,
) -> None:
    for seconds in (12.0, 120.0):  # on a busy machine the API may come back after the end of the first
        hurt.mend()
        job, told = told_of_a_job(hurt, seconds)
        parts = [each for each in told if isinstance(each, CurvePart)]
        if len(parts) >= 3:
            break
    last = told[-1]
    assert isinstance(last, Job)
    assert last.succeeded, last.message
    assert len(parts) >= 3
    assert [each.from_step for each in parts[1:]] == [each.to_step for each in parts[:-1]]
    moves = [each.sequence for each in told if isinstance(each, Move)]
    assert moves == list(range(1, len(moves) + 1))
    losses = np.array([loss for each in parts for loss in each.losses], np.float32)
    assert losses.tobytes() == hurt.service.client.losses(job).tobytes()


def test_a_watched_batch_is_told_whole_through_a_killed_api(service: Service) -> None:
    """Its jobs train one after another, so some of them move while the API is away."""
    told: list[BatchEvent] = []
    batch = service.client.submit_batch([slow_spec(1.0) for _ in range(6)])

    def watch() -> None:
        with Client(service.url, retry_seconds=300.0) as client:
            for event in client.batches.watch(batch):
                told.append(event)  # as they come

    def has_ended(number: int) -> bool:
        ended = {each.job for each in tuple(told) if isinstance(each, Move) and each.to_state is State.SUCCEEDED}
        return len(ended) >= number

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        for number in (1, 3):
            until(partial(has_ended, number), [service.api, service.pool])
            service.api.kill()
            service.api.start()
        watching.result(timeout=300)
    last, counted = told[-1], [each for each in told if isinstance(each, BatchNow)]
    assert isinstance(last, Batch)
    assert last.counts["succeeded"] == 6, last
    moves = [(each.job, each.sequence) for each in told if isinstance(each, Move)]
    assert len(moves) == len(set(moves))
    jobs = {job.id: job for job in service.client.jobs(batch=batch)}
    assert set(moves) == {(job, each.sequence) for job in jobs for each in service.client.events(job)}
    best = counted[-1].best
    assert best is not None
    assert best.value == min(job.loss["last"] for job in jobs.values()) == jobs[best.job].loss["last"]
