"""Jobs on a real GPU, through the whole service: their environment, packs, CUDA graphs, and memory after a cancel."""

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest

import migrations
from gradyard import Client
from gradyard.jobs.settings import load
from tests.servers import RedisServer
from tests.stack.service_processes import Service
from tests.stack.until import until
from workers.pool.gpus.choose import inventory_of
from workers.pool.gpus.inventory import Gpu

GPUS: list[Gpu] = []
with contextlib.suppress(Exception):  # no driver, or none that answers
    GPUS = inventory_of(load()).gpus()

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.stack,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not GPUS, reason="this host has no GPU"),
]
STAGES = ["tensor", "autograd", "function", "nn", "optim", "module", "dynamic"]


@pytest.fixture(scope="module")
def client(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a service with a worker for the first GPU."""
    folder = tmp_path_factory.mktemp("gpu")
    url = f"sqlite:///{folder / 'gradyard.db'}"
    migrations.upgrade(url)
    service = Service(url, redis_server.of(9), folder, GRADYARD_HEARTBEAT_SECONDS="0.5", GRADYARD_FAKE_GPUS="",
                      CUDA_VISIBLE_DEVICES=GPUS[0].uuid)  # fmt: skip
    try:
        service.start()
        until(lambda: any(each.queue == "gpu" for each in service.client.workers()), [service.pool])
        yield service.client
    finally:
        service.stop()


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
