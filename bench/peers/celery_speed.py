"""Plain Celery as a queue for short trainings: one task for each job, results in Redis or SQL, settings for speed."""

import os
from typing import Any

from celery import Celery

URL = os.environ.get("PEER_REDIS_URL", "redis://127.0.0.1:6379/0")

app = Celery("speed", broker=URL, backend=os.environ.get("PEER_RESULTS_URL", URL))
app.conf.update(
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
    worker_send_task_events=False,
    task_send_sent_event=False,
)


@app.task
def train_stage(stage: str, start: dict[str, float], steps: int, rate: float) -> dict[str, Any]:
    """Run the tutorial's own loop, and return its losses and coefficients."""
    import torch

    from tests.tutorial_loops import LOOPS

    torch.set_num_threads(1)  # one for each process: two processes share two cores
    losses, coefficients = LOOPS[stage](start, steps, rate)
    return {"losses": losses.tolist(), "coefficients": coefficients}


@app.task
def one_loss() -> list[float]:
    """Return a result at once, as a job of one step has it."""
    return [0.0]


@app.task(ignore_result=True)
def nothing() -> None:
    """Do nothing except increment a counter in Redis."""
    counter().incr("done")


def counter() -> Any:
    """The connection of this process to Redis."""
    import redis

    global _connection
    _connection = _connection or redis.Redis.from_url(URL)
    return _connection


_connection: Any = None
