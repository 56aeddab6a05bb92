"""Plain Celery with the documented settings for long tasks: late acknowledgement, no prefetching, requeue on loss."""

import os

from celery import Celery

from bench.peers.work import train

app = Celery("peer", broker=os.environ.get("PEER_REDIS_URL", "redis://127.0.0.1:6379/0"))
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    broker_transport_options={"visibility_timeout": 10},  # a job takes a second
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
)


@app.task
def train_task(number: int, ledger: str) -> None:
    """Train one job."""
    train(number, ledger)
