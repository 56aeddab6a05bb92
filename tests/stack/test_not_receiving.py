"""A worker that receives no bells (Celery's main process hangs, its child does not) restarts itself and trains."""

import signal
from pathlib import Path

import pytest

import migrations
from tests.servers import RedisServer
from tests.stack.service_processes import Service

pytestmark = pytest.mark.stack


def test_a_worker_that_receives_no_bells_restarts_itself(redis_server: RedisServer, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gradyard.db'}"
    migrations.upgrade(url)
    service = Service(url, redis_server.of(4), tmp_path, GRADYARD_NOT_RECEIVING_SECONDS="2")
    service.start()
    try:
        hanging = service.worker_main("cpu-0")
        hanging.send_signal(signal.SIGSTOP)
        job = service.client.wait(service.client.submit(stage="tensor", steps=50).id, timeout=300)
        assert job.state == "succeeded"
        assert service.worker_main("cpu-0").pid != hanging.pid
        assert "this worker restarts" in (tmp_path / "pool.log").read_text()
    finally:
        service.stop()
