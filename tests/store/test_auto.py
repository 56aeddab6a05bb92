"""Jobs of `device: auto`: which kind of slot takes them, which leaves them, for how long, and what the job tells."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from gradyard.jobs.events import EventKind
from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.settings import Settings
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.dialects import now
from gradyard.store.fleet import HeartbeatReport, WorkerInfo
from gradyard.store.fleet.claimable import MOST_LEFT
from gradyard.store.tables import Job, Worker
from tests.actors import LEASE, claimed, progress_of, submitted, worker_of

LARGE: dict[str, Any] = {"stage": "autograd", "device": "auto", "steps": 20_000, "dataset": {"points": 1_000_000}}
SMALL: dict[str, Any] = {"stage": "autograd", "device": "auto", "steps": 2000}


def taken(database: Database, worker: WorkerInfo) -> list[UUID]:
    """The jobs that the worker claims."""
    with database.begin() as connection:
        claim = lifecycle.claim(connection, worker, LEASE)
    return [] if claim is None else [member.id for member in claim.members]


def would_take(database: Database, queue: str) -> bool:
    """What maintenance asks before it rings."""
    with database.snapshot() as connection:
        return fleet.claimable_by_idle_slot(connection, queue)


def warm(database: Database, slot: str = "cpu-0", queue: str = "cpu", lease: float = 600.0) -> WorkerInfo:
    """A worker that has claimed something before."""
    worker = worker_of(database, slot, queue, lease)
    with database.begin() as connection:
        connection.execute(update(Worker).where(Worker.id == worker.id).values(served_rank=0.0, served_precedence=0))
    return worker


def waits(database: Database, job: UUID, seconds: float) -> None:
    """So much time passes for the job."""
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.id == job).values(submitted_at=Job.submitted_at - seconds))


def why_claimed(database: Database, job: UUID) -> str:
    with database.read() as connection:
        events = queries.events_of(connection, 1, job)[0]
    return next(str(each.detail) for each in reversed(events) if each.kind == EventKind.CLAIMED)


@pytest.fixture
def cpu(database: Database) -> WorkerInfo:
    return warm(database)


@pytest.fixture
def gpu(database: Database) -> WorkerInfo:
    return warm(database, "gpu-0", "gpu")


def test_each_job_goes_where_it_ends_sooner_and_says_why(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    large, small = submitted(database, settings, **LARGE), submitted(database, settings, **SMALL)
    assert (taken(database, cpu), taken(database, gpu)) == ([small], [large])
    assert why_claimed(database, small) == (
        "auto chose cpu: estimated to take 0.16 s on 1 cpu slot, 1.1 s on 1 gpu slot"
    )
    assert why_claimed(database, large) == (
        "auto chose gpu: estimated to take 8.5 s on 1 gpu slot, 48 s on 1 cpu slot once it is free"
    )


def submitted_at_once(database: Database, settings: Settings, count: int) -> list[UUID]:
    """Small jobs for any device, none of which has waited yet, however long this took."""
    jobs = [submitted(database, settings, **SMALL, seed=seed) for seed in range(count)]
    with database.begin() as connection:
        connection.execute(update(Job).values(submitted_at=now() + 60.0))
    return jobs


def test_many_small_jobs_go_to_the_gpu_together(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    jobs = submitted_at_once(database, settings, 300)
    assert taken(database, cpu) == []
    assert taken(database, gpu) == jobs
    assert why_claimed(database, jobs[7]) == (
        "auto chose gpu: the 300 jobs alike are estimated to take 1.1 s on 1 gpu slot, 2.9 s on 1 cpu slot"
    )


def test_a_slot_that_leaves_a_job_is_not_rung_for_it(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    submitted(database, settings, **LARGE)
    assert [would_take(database, queue) for queue in ("cpu", "gpu")] == [False, True]


def _dead(database: Database, gpu: WorkerInfo) -> None:
    with database.begin() as connection:
        connection.execute(update(Worker).where(Worker.id == gpu.id).values(lease_until=0.0))


def _drained(database: Database, gpu: WorkerInfo) -> None:
    with database.begin() as connection:
        fleet.drain_device(connection, gpu, "it does not add")


def _paused(database: Database, gpu: WorkerInfo) -> None:
    with database.begin() as connection:
        fleet.hold(connection, HoldKind.QUEUE, "gpu", actor="ada")


def _unable(database: Database, gpu: WorkerInfo) -> None:
    with database.begin() as connection:
        connection.execute(update(Worker).where(Worker.id == gpu.id).values(stages={"autograd": 99}))


@pytest.mark.parametrize("happens", [_dead, _drained, _paused, _unable])
def test_an_idle_cpu_slot_waits_for_no_gpu_that_cannot_take_the_job(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo,
    happens: Callable[[Database, WorkerInfo], None],
) -> None:  # fmt: skip
    job = submitted(database, settings, **LARGE)
    assert taken(database, cpu) == []
    happens(database, gpu)
    assert would_take(database, "cpu")
    assert taken(database, cpu) == [job]
    assert why_claimed(database, job) == "auto chose cpu: no gpu slot can take it"


@pytest.mark.parametrize(("steps_per_second", "is_left"), [(1000.0, True), (100.0, False), (0.0, False)])
def test_a_busy_gpu_is_waited_for_where_that_ends_sooner(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo, steps_per_second: float, is_left: bool
) -> None:
    submitted(database, settings, device="gpu", steps=20_000)  # 20 s or 200 s more, or nothing is known yet
    claim = claimed(database, gpu)
    with database.begin() as connection:
        fleet.heartbeat(connection, gpu, LEASE, claim.id, 0, HeartbeatReport(steps_per_second))
    job = submitted(database, settings, **LARGE)
    assert taken(database, cpu) == ([] if is_left else [job])


def test_no_job_is_left_for_longer_than_the_slot_itself_would_need(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    large, small = submitted(database, settings, **LARGE), submitted(database, settings, **SMALL)
    waits(database, large, 47.0)
    waits(database, small, 2.2)
    assert [would_take(database, queue) for queue in ("cpu", "gpu")] == [True, True]  # each its own alone
    waits(database, small, 0.2)
    assert taken(database, gpu) == [large]
    assert taken(database, cpu) == [small]


def test_a_cpu_slot_takes_a_large_job_that_no_gpu_came_for(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    job = submitted(database, settings, **LARGE)
    waits(database, job, 30.0)
    assert taken(database, cpu) == []
    waits(database, job, 20.0)
    assert taken(database, cpu) == [job]
    waited = re.search(r"after (\d+) s of waiting the first slot takes it", why_claimed(database, job))
    assert waited is not None
    assert int(waited[1]) >= 49  # more on a machine that others load


def test_a_gpu_takes_a_small_job_where_every_cpu_slot_is_busy(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    submitted(database, settings, steps=7)
    claimed(database, cpu)
    job = submitted(database, settings, **SMALL)
    assert taken(database, gpu) == [job]


def test_a_slot_without_a_warm_runner_is_later(database: Database, settings: Settings, cpu: WorkerInfo) -> None:
    gpu = worker_of(database, "gpu-0", "gpu")  # 8 s of start and a second of training
    job = submitted(database, settings, **LARGE | {"steps": 1500})
    assert taken(database, gpu) == []
    assert taken(database, cpu) == [job]  # in 3.6 s


@pytest.mark.parametrize("execution", ["eager", "compiled", "gram"])
@pytest.mark.parametrize("steps", [1, 2000, 300_000])
@pytest.mark.parametrize("points", [100, 2000, 300_000])
def test_two_idle_slots_never_leave_a_job_to_one_another(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo, execution: str, steps: int, points: int
) -> None:
    submitted(database, settings, **SMALL | {"execution": execution, "steps": steps, "dataset": {"points": points}})
    takers = [would_take(database, queue) for queue in ("cpu", "gpu")]
    assert all(takers) if execution == "gram" else any(takers)


def test_jobs_without_an_estimate_go_to_the_first_slot(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    job = submitted(database, settings, **SMALL, execution="gram")
    assert taken(database, gpu) == [job]
    assert why_claimed(database, job) == ("auto chose gpu: its slot was the first; there is no estimate for such jobs")


def test_a_gpu_leaves_no_job_that_a_cpu_slot_ends_only_a_little_sooner(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    job = submitted(database, settings, **SMALL | {"dataset": {"points": 170_000}})
    assert [would_take(database, queue) for queue in ("cpu", "gpu")] == [True, True]
    assert taken(database, gpu) == [job]
    assert why_claimed(database, job) == (
        "auto chose gpu: estimated to take 1.1 s on 1 gpu slot, 0.83 s on 1 cpu slot; too close to leave it"
    )


def test_what_is_behind_jobs_that_are_left_is_claimed(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    left = [submitted(database, settings, **LARGE | {"steps": 20_000 + number}) for number in range(MOST_LEFT)]
    job = submitted(database, settings)
    assert taken(database, cpu) == [job]
    with database.begin() as connection:
        assert connection.execute(select(Job.id).where(Job.state == "queued").order_by(Job.id)).scalars().all() == left


def test_a_slot_looks_at_a_limited_number_of_jobs_that_it_leaves(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    jobs = [submitted(database, settings, **LARGE | {"steps": 20_000 + number}) for number in range(MOST_LEFT + 1)]
    assert taken(database, cpu) == jobs[-1:]
    assert why_claimed(database, jobs[-1]).endswith("; this slot leaves many others already")


def test_a_job_for_a_gpu_does_not_ride_with_one_for_a_cpu(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    jobs = [submitted(database, settings, **SMALL | {"device": "cpu", "seed": seed}) for seed in range(3)]
    submitted_at_once(database, settings, 300)
    assert taken(database, cpu) == jobs
    assert len(taken(database, gpu)) == 300


def test_a_job_rides_with_one_for_its_kind_of_device_and_says_why(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    head, rider = submitted(database, settings, **SMALL | {"device": "cpu"}), submitted(database, settings, **SMALL)
    assert taken(database, cpu) == [head, rider]
    assert why_claimed(database, rider).startswith("auto chose cpu: estimated to take 0.16 s on 1 cpu slot")
    assert why_claimed(database, head) == "None"


@pytest.mark.parametrize("has_checkpoint", [False, True])
def test_a_job_that_is_handed_back_is_for_any_device_unless_it_has_a_checkpoint(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo, has_checkpoint: bool
) -> None:
    job = submitted(database, settings, **LARGE)
    claim = claimed(database, gpu)
    with database.begin() as connection:
        if has_checkpoint:
            lifecycle.record(connection, progress_of(claim.members[0], [2.0, 1.0]))
        lifecycle.hand_back(connection, claim.members[0].held, actor="worker", detail="its device failed")
        lifecycle.release(connection, claim.id, actor="worker")
        fleet.drain_device(connection, gpu, "it does not add")
    assert taken(database, cpu) == ([] if has_checkpoint else [job])
    with database.read() as connection:
        assert queries.job_by_id(connection, 1, job).queue == ("gpu" if has_checkpoint else "cpu")


def test_a_job_that_is_handed_back_to_any_device_gets_that_devices_engine(
    database: Database, settings: Settings, cpu: WorkerInfo, gpu: WorkerInfo
) -> None:
    jobs = [submitted(database, settings, **LARGE, seed=seed) for seed in range(2)]
    claim = claimed(database, gpu)
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.id == jobs[0]).values(engine="cudagraph"))
        for member in claim.members:
            lifecycle.hand_back(connection, member.held, actor="worker", detail="its device failed")
    with database.read() as connection:
        engines = [queries.job_by_id(connection, 1, job).engine for job in jobs]
    assert engines == [None, "eager"]
