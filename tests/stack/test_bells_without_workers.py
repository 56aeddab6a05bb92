"""Jobs are submitted where no worker hears their bells; workers that start later find the work at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

import migrations
from gradyard.broker.producer import MOST_WAITING
from tests.servers import RedisServer
from tests.stack.service_processes import Service
from tests.stack.until import until

pytestmark = pytest.mark.stack

REDIS_DATABASE = 12


@pytest.fixture
def service(redis_server: RedisServer, tmp_path: Path) -> Iterator[Service]:
    """A service whose API runs, and whose pool does not yet."""
    url = f"sqlite:///{tmp_path / 'gradyard.db'}"
    migrations.upgrade(url)
    service = Service(url, redis_server.of(REDIS_DATABASE), tmp_path, GRADYARD_BELL_TIMEOUT_SECONDS="60")
    service.api.start()
    until(service.api_answers, [service.api])
    yield service
    service.stop()


def test_a_gpu_worker_that_starts_late_trains_at_once_behind_a_bounded_number_of_bells(
    service: Service, redis_server: RedisServer
) -> None:
    client = service.client
    for seed in range(MOST_WAITING + 40):
        client.submit({"stage": "tensor", "steps": 5, "seed": seed, "device": "auto"})
    late = client.submit({"stage": "tensor", "steps": 5, "device": "gpu"})
    with redis.Redis.from_url(redis_server.of(REDIS_DATABASE)) as broker:
        assert [broker.llen(queue) for queue in ("cpu", "gpu")] == [MOST_WAITING] * 2
        service.pool.start()
        assert client.wait(late.id, timeout=120).state == "succeeded"
        until(lambda: not list(client.jobs(state="queued")) and not broker.llen("gpu"), [service.pool])
