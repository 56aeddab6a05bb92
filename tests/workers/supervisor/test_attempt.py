"""An attempt on a real database with a real runner: whatever moves a job, its runner drops it."""

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import psutil
import pytest
from sqlalchemy import insert

from gradyard.jobs.settings import Settings
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import Claim
from gradyard.store.tables import Project
from tests.actors import claimed, submitted, submitted_to, worker_of
from tests.stack.until import until
from tests.workers.supervisor.scripted_runner import HELLO, Scripted, context_of
from workers.protocol.messages import FailedMessage, Message
from workers.runner_client import runner_process
from workers.runner_client.runner_process import RunnerProcess
from workers.supervisor import failure_policy
from workers.supervisor.attempt import Attempt
from workers.supervisor.heartbeat import Heartbeat
from workers.supervisor.pack import Pack
from workers.supervisor.supervisor import Supervisor
from workers.supervisor.worker_context import WorkerContext

pytestmark = [pytest.mark.slow, pytest.mark.together]  # they share a runner

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # about the runner alone

FOR_EVER = {"stage": "numpy", "steps": 10_000_000, "dtype": "float32"}


def begun(context: WorkerContext, claim: Claim) -> threading.Thread:
    """The attempt, under way."""
    thread = threading.Thread(target=Attempt(context, Pack(claim, context.runner.hello)).run, daemon=True)
    thread.start()
    return thread


def wait_for_a_record(database: Database, job: UUID, *, after: int = 0) -> None:
    """Return once more than that many steps of the job are recorded."""
    until(lambda: steps_recorded(database, job) > after)


def steps_recorded(database: Database, job: UUID) -> int:
    with database.read() as connection:
        return queries.job_by_id(connection, 1, job).steps_done


def cancel_without_its_worker(database: Database, job: UUID) -> None:
    with database.begin() as connection:
        lifecycle.request_cancel(connection, job, actor="client")
        assert lifecycle.move_silent(connection, job, actor="client")


def cpu_seconds(runner: RunnerProcess) -> float:
    return sum(psutil.Process(runner.pid).cpu_times()[:2])


def test_a_runner_stops_when_a_record_finds_that_all_its_members_have_moved_on(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, **FOR_EVER)
    attempt = begun(context, claimed(database, context.worker))
    wait_for_a_record(database, job)
    cancel_without_its_worker(database, job)
    attempt.join(timeout=300)
    assert not attempt.is_alive()
    if context.runner.pid is not None:  # it let go in time and was not killed
        before = cpu_seconds(context.runner)
        time.sleep(0.5)
        assert cpu_seconds(context.runner) - before < 0.25


def test_the_others_of_a_pack_train_on_when_one_has_moved_on(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    jobs = [submitted(database, settings, **FOR_EVER | {"seed": seed}) for seed in range(2)]
    attempt = begun(context, claimed(database, context.worker))
    wait_for_a_record(database, jobs[1])
    pid = context.runner.pid
    cancel_without_its_worker(database, jobs[0])
    for _ in range(4):  # records after which the attempt knows that the other has moved on
        wait_for_a_record(database, jobs[1], after=steps_recorded(database, jobs[1]))
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, jobs[1])
    assert (row.state, context.runner.pid) == ("running", pid)
    cancel_without_its_worker(database, jobs[1])
    attempt.join(timeout=300)
    assert not attempt.is_alive()


@on_sqlite
def test_a_runner_that_was_dead_before_its_job_came_does_not_count_against_the_job(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, stage="numpy", steps=5)
    assert context.runner.pid is not None
    os.kill(context.runner.pid, signal.SIGKILL)
    Attempt(context, Pack(claimed(database, context.worker), context.runner.hello)).run()
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, job)
    assert (row.state, row.crashes, row.attempt) == ("succeeded", 0, 1)


@on_sqlite
def test_a_stop_in_the_middle_of_a_cuda_error_counts_against_no_job(
    context: WorkerContext, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = FailedMessage(
        message="CUDA error: unspecified launch failure", step=3, traceback="", out_of_memory=False, device_error=True,
        member=None,
    )  # fmt: skip
    monkeypatch.setattr(runner_process, "can_fork", lambda: False)  # as on a GPU: a start takes seconds
    context = replace(context, runner=RunnerProcess(settings))
    context.runner.ensure()
    receive_next, stops, errors = context.runner.receive, threading.Event(), [failed]

    def receive(seconds: float) -> Message | None:
        stops.set()
        return errors.pop() if errors else receive_next(seconds)

    job = submitted(database, settings, **FOR_EVER)
    attempt = begun(replace(context, stopping=stops.is_set), claimed(database, context.worker))
    wait_for_a_record(database, job)
    monkeypatch.setattr(context.runner, "receive", receive)
    attempt.join(timeout=300)
    context.runner.close()
    assert not attempt.is_alive()
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, job)
    assert (row.state, row.failures, row.crashes, row.max_pack) == ("queued", 0, 0, None)


def test_a_pack_that_breaks_its_supervisor_is_counted_as_a_crash_and_not_tried_for_ever(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []

    def breaks(attempt: Attempt) -> None:
        raise IndexError("a message like no other")

    scripted = Scripted(settings)
    monkeypatch.setattr(Attempt, "run", breaks)
    monkeypatch.setattr(scripted, "end", lambda: ended.append(True))
    job = submitted(database, settings, stage="numpy", steps=5)
    assert Supervisor(context_of(database, settings, scripted)).work() is False  # nothing is left to claim
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, job)
    assert (row.state, row.reason, row.attempt) == ("failed", "poison", failure_policy.CRASHES_ALONE)
    assert "a message like no other" in row.message
    assert len(ended) == failure_policy.CRASHES_ALONE  # each had a runner that may still have trained


@on_sqlite
def test_a_worker_that_slept_does_not_take_its_runner_for_stuck(
    context: WorkerContext, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.supervisor.runners.timeouts.STUCK_SECONDS", 30.0)
    monkeypatch.setattr("workers.supervisor.runners.timeouts.ASLEEP_SECONDS", 0.5)
    job = submitted(database, settings, **FOR_EVER)
    attempt = Attempt(context, Pack(claimed(database, context.worker), context.runner.hello))
    thread = threading.Thread(target=attempt.run, daemon=True)
    thread.start()
    wait_for_a_record(database, job)
    as_after_docker_pause = SimpleNamespace(monotonic=lambda: time.monotonic() + 60.0)
    monkeypatch.setattr("workers.supervisor.runners.timeouts.time", as_after_docker_pause)
    for _ in range(3):  # each after a look at the clocks
        wait_for_a_record(database, job, after=steps_recorded(database, job))
    with database.read() as connection:
        assert queries.job_by_id(connection, 1, job).attempt == 1
    cancel_without_its_worker(database, job)
    thread.join(timeout=300)
    assert not thread.is_alive()


def test_a_worker_that_must_stop_rings_for_the_jobs_that_it_handed_back(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    job, asked = submitted(database, settings, **FOR_EVER), threading.Event()

    def ask() -> None:
        wait_for_a_record(database, job)
        asked.set()

    threading.Thread(target=ask, daemon=True).start()
    assert Supervisor(replace(context, stopping=asked.is_set)).work() is True
    with database.read() as connection:
        assert queries.counts_by_state(connection, 1)["queued"] == 1


@on_sqlite
def test_a_job_is_trained_eagerly_where_the_compiler_does_not_work(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "g++").symlink_to("/bin/false")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    worker = replace(worker_of(database), engines=("eager", "inductor"))
    runner = RunnerProcess(settings)
    context = WorkerContext(
        settings, worker, Heartbeat(settings, worker, lambda: None), lambda: False, database, runner
    )
    jobs = [submitted(database, settings, stage="module", steps=5, execution=each) for each in ("compiled", "eager")]
    assert Supervisor(context).work() is False
    runner.close()
    with database.read() as connection:
        found, wanted = (queries.job_by_id(connection, 1, job) for job in jobs)
    assert (found.state, found.engine, found.environment["engine"]) == ("succeeded", "eager", "eager")
    assert found.coefficients == wanted.coefficients


@pytest.mark.parametrize("projects", [(1, 1), (1, 2)], ids=["one project", "two projects"])
def test_the_output_of_a_pack_is_for_its_project_alone(
    database: Database, settings: Settings, projects: tuple[int, int]
) -> None:
    failed = FailedMessage(
        message="ValueError: a secret of one", step=3, traceback="a secret of one", out_of_memory=False,
        device_error=False, member=None,
    )  # fmt: skip
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=2, name="other"))
    jobs = [(each, submitted_to(each, database, settings, **FOR_EVER | {"seed": seed}))
            for seed, each in enumerate(projects)]  # fmt: skip
    scripted = Scripted(settings)
    scripted.says = [failed]
    context = context_of(database, settings, scripted)
    pack = Pack(claimed(database, context.worker), HELLO)
    assert pack.width == 2
    Attempt(context, pack).run()
    with database.read() as connection:
        assert [queries.job_by_id(connection, *job).state for job in jobs] == ["queued", "queued"]
        logs = [log.text for job in jobs for log in queries.logs_of(connection, *job)[0]]
        events = [event for job in jobs for event in queries.events_of(connection, *job)[0]]
    shared = projects == (1, 1)
    assert ["secret" in text for text in logs] == [shared, shared]
    assert ["secret" in event.detail for event in events if event.from_state == "running"] == [shared, shared]


@on_sqlite
def test_how_long_jobs_waited_and_trained_is_counted_for_the_next_heartbeat(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    for _ in range(2):
        submitted(database, settings, stage="numpy", steps=20)
    Supervisor(context).work()
    _, counts = context.heartbeat.throughput.report()
    for histogram in (fleet.WAITING, fleet.TRAINING):
        buckets, seconds = histogram.read(counts)
        assert buckets[-1] == ("+Inf", 2.0)
        assert seconds > 0
    assert counts["jobs_finished"] == 2
