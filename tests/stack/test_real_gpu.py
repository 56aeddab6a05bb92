"""Jobs on a real GPU, through the whole service: their environment, packs, CUDA graphs, and memory after a cancel."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gradyard import Client
from gradyard.jobs.settings import load
from tests.servers import RedisServer
from tests.stack.real_gpu import GPUS, MARKS, a_service
from tests.stack.service_processes import Service
from tests.stack.until import until
from workers.pool.gpus.choose import inventory_of

pytestmark = [pytest.mark.gpu, *MARKS]
STAGES = ["tensor", "autograd", "function", "nn", "optim", "module", "dynamic"]


@pytest.fixture(scope="module")
def service(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with one worker for the first GPU."""
    with a_service(redis_server.of(9), tmp_path_factory.mktemp("gpu")) as started:
        yield started


@pytest.fixture
def client(service: Service) -> Client:
    """A client of that service."""
    return service.client


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("execution", "engine"), [("eager", "eager"), ("compiled", "fused")])
def test_every_stage_trains_on_the_gpu_and_names_it(client: Client, stage: str, execution: str, engine: str) -> None:
    on_cpu = client.submit(device="cpu", stage=stage, steps=200)  # eager: to compile there takes a minute
    on_gpu = client.submit(device="gpu", stage=stage, steps=200, execution=execution)
    there, here = (client.wait(job.id, timeout=300) for job in (on_gpu, on_cpu))
    assert there.succeeded, there.message
    assert there.result is not None
    environment = there.environment
    assert environment["engine"] == engine
    assert (environment["device"], environment["device_uuid"]) == (GPUS[0].name, GPUS[0].uuid)
    assert environment["numerics_class"].startswith("cuda")
    assert here.succeeded, here.message
    np.testing.assert_allclose(client.losses(there.id)[:30], client.losses(here.id)[:30], rtol=1e-3)


def test_many_jobs_train_as_one_pack(client: Client) -> None:
    batch = client.sweep({"stage": "autograd", "device": "gpu", "steps": 2000}, grid={"seed": range(1000)})
    ended = client.wait_batch(batch.id)
    assert ended.counts["succeeded"] == 1000
    assert max(job.timings["pack_size"] for job in client.jobs(batch=batch.id, limit=100)) >= 512


def test_a_cancel_frees_the_memory(client: Client) -> None:
    def used() -> int:
        use = inventory_of(load()).in_use(GPUS[0].uuid)
        assert use is not None
        return use.all_mib

    assert client.wait(client.submit(stage="autograd", device="gpu", steps=100).id, timeout=120).succeeded
    before = used()
    large = {"stage": "autograd", "device": "gpu", "steps": 100_000, "dataset": {"points": 1_000_000},
             "learning_rate": 1e-12}  # the stage's own diverges on so many points  # fmt: skip
    batch = client.sweep(large, grid={"seed": range(64)})
    until(lambda: used() > before + 1024)  # 64 members with some arrays of 4 MB each
    client.cancel_batch(batch.id)
    until(lambda: client.batch(batch.id).counts["cancelled"] == 64)
    until(lambda: used() < before + 512)
    assert client.wait(client.submit(stage="autograd", device="gpu", steps=100).id, timeout=120).succeeded
    (worker,) = [each for each in client.workers() if each.queue == "gpu" and each.state != "dead"]
    assert worker.drained is None


def test_a_killed_runner_costs_an_attempt_and_not_a_bit(service: Service) -> None:
    client = service.client
    spec: dict[str, Any] = {"stage": "autograd", "device": "gpu", "steps": 60_000, "seed": 3}
    undisturbed = client.wait(client.submit(**spec).id, timeout=120)
    job = client.submit(**spec)
    until(lambda: client.job(job.id).steps_done > 500)
    runner = service.runner_of(GPUS[0].name)
    assert runner is not None
    runner.kill()
    ended = client.wait(job.id, timeout=120)
    assert (ended.succeeded, ended.attempt) == (True, 2), ended.message
    assert client.losses(job.id).tobytes() == client.losses(undisturbed.id).tobytes()
