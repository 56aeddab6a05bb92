"""A host with two simulated GPUs: each has one worker that sees only this GPU. Workers are killed, GPUs are lost."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

import migrations
from gradyard.processes.children import Child, stop_in_order
from gradyard.shapes import Worker
from tests.servers import RedisServer
from tests.stack.service_processes import Service, slow_spec
from tests.stack.until import until

pytestmark = pytest.mark.stack

STOP_SECONDS = 60.0  # on a busy machine; it takes one or two
KINDS = ["NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3 MIG 1g.10gb"]  # each worker starts processes


class Host:
    """A service whose inventory of GPUs a test can change."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self.inventory = folder / "gpus.json"
        self.gpus = healthy_gpus()
        self.write()
        url = f"sqlite:///{folder / 'gradyard.db'}"
        migrations.upgrade(url)
        self.service = Service(url, redis_url, folder, GRADYARD_FAKE_GPUS=str(self.inventory),
                               GRADYARD_HEARTBEAT_SECONDS="0.5")  # fmt: skip
        self.client = self.service.client

    def write(self, *, number: int = 0, **more: Any) -> None:
        """Change what the driver reports about the GPU of that number, and write the inventory."""
        self.gpus[number] |= more
        self.install(self.gpus)

    def install(self, gpus: list[dict[str, Any]]) -> None:
        """Replace the GPUs of the host. A worker that reads meanwhile sees all the old ones or all the new ones."""
        written = self.inventory.with_suffix(".new")
        written.write_bytes(orjson.dumps(gpus))
        written.replace(self.inventory)

    def restore(self) -> None:
        """Restore the healthy GPUs, each with a worker that takes jobs. Cancel all jobs and lift all drains."""
        self.service.cancel_all()
        self.gpus = healthy_gpus()
        self.write()
        expected = {f"gpu-{index}": each["uuid"] for index, each in enumerate(self.gpus)}
        if {slot: each.device_uuid for slot, each in self.slots().items()} != expected:
            self.restart_pool()
        self.wait_for_heartbeats()
        until(lambda: self.undrain_all() and not drained(self))

    def restart_pool(self) -> None:
        """Restart the pool with the current inventory, and wait for a worker for each of its GPUs."""
        stop_in_order([self.service.pool], STOP_SECONDS)
        until(lambda: not self.slots())
        self.service.pool.start()
        until(lambda: len(self.slots()) == len(KINDS), [self.service.pool])

    def undrain_all(self) -> bool:
        """Undrain every drained GPU."""
        for slot in drained(self):
            self.client.undrain(slot)
        return True

    def wait_for_heartbeats(self, count: int = 3) -> None:
        """Wait until every GPU worker has sent that many more heartbeats; each one reports on its GPU."""
        for _ in range(count):
            before = {slot: each.heartbeat_at for slot, each in self.slots().items()}
            until(lambda before=before: all(  # type: ignore[misc]
                slot in before and each.heartbeat_at != before[slot] for slot, each in self.slots().items()
            ))  # fmt: skip

    def slots(self) -> dict[str, Worker]:
        """The live GPU workers by slot."""
        return {each.slot: each for each in self.client.workers() if each.queue == "gpu" and each.state != "dead"}

    def runners_of(self, uuid: str) -> list[psutil.Process]:
        """The runners that see this GPU."""
        runners = self.service.processes("workers.runner")
        return [each for each in runners if each.environ()["CUDA_VISIBLE_DEVICES"] == uuid]

    def trains(self, **spec: Any) -> Any:
        """Train a job of the GPU queue and return it when it has finished."""
        return self.client.wait(self.client.submit(device="gpu", stage="tensor", steps=20, **spec).id, timeout=300)


def healthy_gpus() -> list[dict[str, Any]]:
    """A whole GPU and a MIG slice, in the form of the inventory's file."""
    return [
        {"name": kind, "uuid": f"{'MIG' if 'MIG' in kind else 'GPU'}-{index:08x}", "memory_mib": 81920}
        for index, kind in enumerate(KINDS)
    ]


@pytest.fixture(scope="module")
def running_host(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A service with a slot for each GPU and one CPU slot."""
    host = Host(redis_server.of(9), tmp_path_factory.mktemp("gpus"))
    try:
        host.service.start()
        until(lambda: len(host.slots()) == len(KINDS), [host.service.pool])
        yield host
    finally:
        host.service.stop()


@pytest.fixture
def host(running_host: Host) -> Host:
    """The running host, restored to its first state."""
    running_host.restore()
    return running_host


def drained(host: Host) -> list[str]:
    return [slot for slot, each in host.slots().items() if each.drained]


def test_each_worker_sees_exactly_its_own_gpu(host: Host) -> None:
    slots = host.slots()
    assert [slots[f"gpu-{index}"].device_uuid for index in range(len(KINDS))] == [each["uuid"] for each in host.gpus]
    assert {slots["gpu-1"].device_name, slots["gpu-0"].device_name} == set(KINDS)
    job = host.trains()
    assert job.succeeded
    taken = next(event for event in host.client.events(job.id) if event.to_state == "running").actor
    slot = slots[taken.removeprefix("worker ").partition("@")[0]]
    assert job.environment["device_uuid"] == slot.device_uuid, "as its runner saw it"
    runners = [each for each in host.service.processes("workers.runner") if each.ppid() == slot.pid]
    assert [each.environ()["CUDA_VISIBLE_DEVICES"] for each in runners] == [slot.device_uuid]


def test_a_killed_worker_comes_back_to_its_gpu_and_the_others_stay(host: Host) -> None:
    before = host.slots()
    host.service.kill_worker("gpu-0")
    until(lambda: "gpu-0" in host.slots() and host.slots()["gpu-0"].pid != before["gpu-0"].pid)
    after = host.slots()
    assert after["gpu-0"].device_uuid == before["gpu-0"].device_uuid
    assert {slot: each.pid for slot, each in after.items() if slot != "gpu-0"} == {
        slot: each.pid for slot, each in before.items() if slot != "gpu-0"
    }


def test_a_second_pool_says_who_holds_the_gpus(host: Host) -> None:
    command = [sys.executable, "-m", "workers.pool", "--queues", "gpu", "--gpus", "0,MIG-00000001"]
    second = subprocess.run(command, env=host.service.environment, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    (pool,) = psutil.Process(host.service.pool.pid).children()  # below its tether
    assert f"gpu-0 is held by pool {pool.pid} of this host" in second.stdout
    assert "hold every slot that was asked for" in second.stderr


def test_the_readings_of_a_gpu_are_shown(host: Host) -> None:
    host.write(number=0, utilization_percent=93.0, temperature_celsius=61.0, memory_used_mib=2048)
    until(lambda: host.slots()["gpu-0"].utilization_percent == 93.0)
    shown = host.slots()["gpu-0"]
    assert (shown.temperature_celsius, shown.memory_used_mib, shown.memory_mib) == (61.0, 2048, 81920)


def test_a_gpu_that_falls_off_the_bus_is_drained_and_the_others_go_on(host: Host) -> None:
    host.write(number=0, lost=True)
    until(lambda: host.slots()["gpu-0"].state == "drained")
    hold = host.slots()["gpu-0"].drained
    assert hold is not None
    assert "the driver lost GPU-00000000" in str(hold.reason)
    assert host.trains(seed=1).succeeded
    assert drained(host) == ["gpu-0"]
    host.wait_for_heartbeats()
    again = host.slots()["gpu-0"].drained
    assert again is not None
    assert again.since == hold.since, "it is drained once, not with every heartbeat"


def test_a_gpu_that_is_back_takes_jobs_once_it_is_undrained(host: Host) -> None:
    host.write(number=0, lost=True)
    until(lambda: drained(host) == ["gpu-0"])
    host.client.undrain("gpu-0")
    until(lambda: drained(host) == ["gpu-0"])  # it is still lost
    host.write(number=0, lost=False)
    host.wait_for_heartbeats()
    assert drained(host) == ["gpu-0"]
    host.client.undrain("gpu-0")
    host.wait_for_heartbeats()
    assert drained(host) == []


def alone(host: Host, slot: str) -> None:
    """Drain all other GPUs, so that this one takes the jobs of the queue."""
    for other in set(host.slots()) - {slot} - set(drained(host)):
        host.client.drain(other)


def test_a_gpu_on_which_no_fresh_process_can_compute_is_drained_and_its_job_is_not_blamed(host: Host) -> None:
    host.write(number=0, fails="CUDA error: an uncorrectable ECC error was encountered")
    alone(host, "gpu-0")
    for runner in host.runners_of("GPU-00000000"):  # a runner that is already warm would not notice
        runner.kill()
    job = host.client.submit(device="gpu", stage="tensor", steps=20, seed=5)
    until(lambda: "gpu-0" in drained(host))
    hold = host.slots()["gpu-0"].drained
    assert hold is not None
    assert "uncorrectable ECC" in str(hold.reason)
    host.client.undrain("gpu-1")
    ended = host.client.wait(job.id, timeout=300)
    assert ended.succeeded
    assert ended.environment["device_uuid"] == "MIG-00000001"
    assert "its device failed" in str([event.detail for event in host.client.events(job.id)])


def test_a_gpu_that_keeps_the_memory_of_a_killed_runner_is_drained(host: Host) -> None:
    alone(host, "gpu-0")
    host.write(number=0, memory_used_mib=100)
    assert host.trains(seed=6).succeeded
    job = host.client.submit(slow_spec(60.0), device="gpu")
    until(lambda: host.client.job(job.id).state == "running")
    (runner,) = host.runners_of("GPU-00000000")
    host.write(number=0, memory_used_mib=9100, processes={str(runner.pid): 9000})
    # The worker reads the memory in use every two seconds, and eight heartbeats take four.
    host.wait_for_heartbeats(8)
    steps = host.client.job(job.id).steps_done
    until(lambda: host.client.job(job.id).steps_done > steps)
    runner.kill()
    until(lambda: "gpu-0" in drained(host))
    hold = host.slots()["gpu-0"].drained
    assert hold is not None
    assert "9,100 MiB are in use" in str(hold.reason)


def test_a_small_job_for_any_device_is_left_to_a_core_and_says_why(host: Host) -> None:
    assert host.client.wait(host.client.submit(stage="tensor", steps=20).id, timeout=300).succeeded  # a warm runner
    # 40,000 steps: the GPU leaves the job for the 7 s that it would need itself, and a busy core comes by then.
    job = host.client.wait(host.client.submit(device="auto", stage="tensor", steps=40_000).id, timeout=300)
    assert job.environment["device_uuid"] is None
    details = [str(event.detail) for event in host.client.events(job.id)]
    assert "auto chose cpu: estimated to take" in str(details)


def test_a_cuda_error_is_the_jobs_own_where_a_fresh_process_can_compute(host: Host) -> None:
    before = drained(host)
    job = host.trains(name="breaks CUDA", max_retries=0)
    assert (job.state, job.reason) == ("failed", "error")
    assert "uncorrectable ECC" in str(job.message)
    assert drained(host) == before


def test_a_drained_gpu_stays_drained_in_whatever_slot_it_comes_again(host: Host) -> None:
    host.write(number=0, lost=True)
    until(lambda: drained(host) == ["gpu-0"])
    host.gpus = [each | {"lost": False} for each in reversed(host.gpus)]
    stop_in_order([host.service.pool], STOP_SECONDS)
    host.write()
    host.restart_pool()
    assert drained(host) == ["gpu-1"], "its number has changed, and no other GPU is drained in its place"
    assert host.slots()["gpu-1"].device_uuid == "GPU-00000000"
    host.client.undrain("GPU-00000000")
    assert drained(host) == []


def test_a_pool_of_another_user_waits_for_the_gpus_and_passes_their_bells_on(host: Host, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workers.pool", "--queues", "gpu"]
    elsewhere = host.service.environment | {"TMPDIR": str(tmp_path)}  # other lock files, as for another user
    before = {slot: each.pid for slot, each in host.slots().items()}
    second = Child("second", command, elsewhere, tmp_path / "second.log")
    second.start()
    try:
        until(lambda: "\n".join(second.tail(200)).count("is held by process") >= len(KINDS), [second])
        for seed in range(4):  # each bell may come to either pool
            assert host.trains(seed=seed).succeeded
        assert {slot: each.pid for slot, each in host.slots().items()} == before
        stop_in_order([host.service.pool], STOP_SECONDS)
        until(lambda: len(host.slots()) == len(KINDS), [second])
        assert not set(before.values()) & {each.pid for each in host.slots().values()}
        assert host.trains(seed=99).succeeded
    finally:
        stop_in_order([second], STOP_SECONDS)


def test_a_host_without_a_gpu_trains_on_its_cores_and_jobs_for_one_say_what_they_wait_for(running_host: Host) -> None:
    host = running_host  # not restored: the pool starts anew in any case, and its workers take their time
    host.service.cancel_all()
    host.undrain_all()
    host.gpus = healthy_gpus()
    stop_in_order([host.service.pool], STOP_SECONDS)
    host.install([])
    host.service.pool.start()
    until(lambda: host.client.readiness().workers.get("cpu"), [host.service.pool])
    job = host.client.submit(stage="tensor", device="gpu", steps=20)
    assert host.client.wait(host.client.submit(stage="tensor", steps=20).id, timeout=300).succeeded
    waiting = host.client.job(job.id).waiting
    assert waiting is not None
    assert waiting["reason"] == "no gpu worker is alive"
    stop_in_order([host.service.pool], STOP_SECONDS)
    host.install(host.gpus[:1])
    host.service.pool.start()
    assert host.client.wait(job.id, timeout=300).succeeded
    assert list(host.slots()) == ["gpu-0"]
