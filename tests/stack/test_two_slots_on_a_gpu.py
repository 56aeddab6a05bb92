"""Two slots on one real GPU train at the same time, and get the bits that each gets alone."""

from pathlib import Path

import pytest

from tests.servers import RedisServer
from tests.stack.real_gpu import MARKS, a_service
from tests.stack.until import until

pytestmark = [pytest.mark.gpu, *MARKS]


def test_two_slots_share_a_gpu(redis_server: RedisServer, tmp_path: Path) -> None:
    with a_service(redis_server.of(10), tmp_path, "--slots-per-gpu", "2") as shared:
        client = shared.client
        until(lambda: len([each for each in client.workers() if each.queue == "gpu"]) == 2, [shared.pool])
        long = [client.submit(stage="autograd", device="gpu", steps=1_000_000 + number) for number in range(2)]
        until(lambda: all(client.job(job.id).steps_done for job in long), [shared.pool])
        for job in long:
            client.cancel(job.id)
        short = [client.submit(stage="autograd", device="gpu", steps=steps) for steps in (400, 401)]
        ended = [client.wait(job.id, timeout=120) for job in short]
        assert all(job.succeeded for job in ended), [job.message for job in ended]
        first, second = (client.losses(job.id) for job in short)
        assert first.tobytes() == second[:-1].tobytes()
