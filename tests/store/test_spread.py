"""A batch is spread evenly over the idle slots that can take it, whatever host they are on, and over no others."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.tables import Job, Worker
from tests.actors import LEASE, claimed, submitted, worker_of

H100, T4 = "NVIDIA H100 80GB HBM3", "Tesla T4"


def batch(database: Database, settings: Settings, size: int, **spec: object) -> None:
    parsed = parse_job(orjson.dumps({"stage": "autograd", "steps": 2000} | spec), settings)
    with database.begin() as connection:
        lifecycle.submit_batch(
            connection, ParsedBatch([parsed] * size), project_id=1, actor="test", max_queued=10_000
        )  # fmt: skip


def registered(database: Database, worker: WorkerInfo, lease: float = LEASE) -> WorkerInfo:
    with database.begin() as connection:
        fleet.register(connection, worker, lease)
    return worker


def a_gpu(number: int, host: str = "host", **facts: Any) -> WorkerInfo:
    usual = WorkerInfo(
        new_id(), host, f"gpu-{number}", "gpu", 1, {"autograd": 1, "tensor": 1}, memory_mib=81_559, device_name=H100,
        most_members=4096, device_uuid=f"GPU-{host}-{number}",
    )  # fmt: skip
    return replace(usual, **facts)


def packs(database: Database, workers: list[WorkerInfo]) -> list[int]:
    return [len(claimed(database, worker).members) for worker in workers]


@pytest.mark.parametrize("slots", [1, 2, 3, 4])
def test_a_batch_is_spread_over_all_gpus_of_a_host(database: Database, settings: Settings, slots: int) -> None:
    gpus = [registered(database, a_gpu(number)) for number in range(slots)]
    batch(database, settings, 1000, device="gpu")
    assert packs(database, gpus) == {1: [1000], 2: [500] * 2, 3: [334, 333, 333], 4: [250] * 4}[slots]


def test_a_batch_is_spread_over_hosts_and_models(database: Database, settings: Settings) -> None:
    places = [("a", H100), ("a", H100), ("b", T4), ("c", H100)]
    gpus = [registered(database, a_gpu(number, host, device_name=model)) for number, (host, model) in enumerate(places)]
    batch(database, settings, 1000, device="gpu", execution="compiled")
    assert packs(database, gpus) == [250] * 4


@pytest.mark.parametrize(("slots", "shares"), [(2, [500] * 2), (4, [250] * 4)])
@pytest.mark.parametrize("execution", ["eager", "compiled"])
def test_idle_cpu_slots_take_nothing_from_the_gpus_that_end_sooner(
    database: Database, settings: Settings, slots: int, shares: list[int], execution: str
) -> None:
    gpus = [registered(database, a_gpu(number, engines=("eager", "cudagraph"))) for number in range(slots)]
    cpus = [worker_of(database, f"cpu-{number}") for number in range(2)]
    with database.begin() as connection:
        connection.execute(update(Worker).values(served_rank=0.0))  # their runners are warm
    batch(database, settings, 1000, device="auto", execution=execution, steps=4000)
    for cpu in cpus:
        with database.begin() as connection:
            assert lifecycle.claim(connection, cpu, LEASE) is None
    assert packs(database, gpus) == shares


@pytest.mark.parametrize("case", ["dead", "drained", "busy", "another arithmetic", "another stage", "cpu"])
def test_slots_that_cannot_take_the_jobs_get_no_share(database: Database, settings: Settings, case: str) -> None:
    gpus = [registered(database, a_gpu(number)) for number in range(2)]
    stages = {"another arithmetic": {"autograd": 9}, "another stage": {"nn": 1}, "busy": {"tensor": 1}}.get(case)
    other = a_gpu(2) if stages is None else a_gpu(2, stages=stages)
    other = replace(other, queue="cpu", device_uuid=None) if case == "cpu" else other
    registered(database, other, lease=-1.0 if case == "dead" else LEASE)
    with database.begin() as connection:
        if case == "drained":
            fleet.hold(connection, HoldKind.SLOT, str(other.address), actor="ada")
    if case == "busy":
        submitted(database, settings, device="gpu")
        claimed(database, other)
    batch(database, settings, 1000, device="gpu")
    assert packs(database, gpus) == [500, 500]


def test_slots_without_the_memory_that_the_jobs_ask_for_get_no_share(database: Database, settings: Settings) -> None:
    small = registered(database, a_gpu(2, memory_mib=16_000))
    gpus = [registered(database, a_gpu(number)) for number in range(2)]
    batch(database, settings, 100, device="gpu", gpu_memory_mib=40_000)
    with database.begin() as connection:
        assert lifecycle.claim(connection, small, LEASE) is None
    assert packs(database, gpus) == [50, 50]


def test_many_idle_slots_make_no_pack_narrower_than_what_waits_allows(database: Database, settings: Settings) -> None:
    slots = [worker_of(database, f"cpu-{number}") for number in range(16)]
    batch(database, settings, 1300)  # 82 for each of 16 slots, and a pack of `autograd` has 64 at most
    assert packs(database, slots[:2]) == [64, 64]


def test_jobs_with_a_checkpoint_are_shared_by_gpus_of_their_model_alone(database: Database, settings: Settings) -> None:
    gpus = [registered(database, a_gpu(number)) for number in range(2)]
    for number in range(2, 5):
        registered(database, a_gpu(number, device_name=T4))
    batch(database, settings, 100, device="gpu")
    with database.begin() as connection:
        connection.execute(update(Job).values(start_step=7, engine="eager"))
    assert packs(database, gpus) == [50, 50]
