"""The first GPU of this host, and a service whose pool has it. One pool at a time can: a second one waits for it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import migrations
from gradyard.jobs.settings import load
from tests.stack.service_processes import Service
from tests.stack.until import until
from workers.pool.gpus.choose import inventory_of
from workers.pool.gpus.inventory import Gpu

GPUS: list[Gpu] = []
with contextlib.suppress(Exception):  # no driver, or none that answers
    GPUS = inventory_of(load()).gpus()

MARKS = [
    pytest.mark.stack,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not GPUS, reason="this host has no GPU"),
]


@contextlib.contextmanager
def a_service(redis_url: str, folder: Path, *pool_options: str) -> Iterator[Service]:
    """A service with workers for the first GPU."""
    url = f"sqlite:///{folder / 'gradyard.db'}"
    migrations.upgrade(url)
    service = Service(url, redis_url, folder, *pool_options, GRADYARD_HEARTBEAT_SECONDS="0.5", GRADYARD_FAKE_GPUS="",
                      CUDA_VISIBLE_DEVICES=GPUS[0].uuid)  # fmt: skip
    try:
        service.start()
        until(lambda: any(each.queue == "gpu" for each in service.client.workers()), [service.pool])
        yield service
    finally:
        service.stop()
