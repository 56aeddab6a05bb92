"""What a pack writes together, and how wide it may be."""

import sys
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from gradyard.jobs.errors import NotFound
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import stage_named
from gradyard.jobs.states import State
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import Ended, Outcome, Progress
from tests.actors import claimed, progress_of, submitted, worker_of


def curve_of(database: Database, job: UUID) -> list[float]:
    with database.read() as connection:
        return queries.loss_curve(connection, 1, job, "float32").tolist()


def test_a_pack_is_recorded_without_those_that_moved_on(database: Database, settings: Settings) -> None:
    for seed in range(4):
        submitted(database, settings, seed=seed)
    claim = claimed(database, worker_of(database))
    gone, other, *_ = claim.members
    with database.begin() as connection:
        assert lifecycle.cancel_by_worker(connection, gone.held, actor="worker")
    late = replace(progress_of(other, [9.0]), held=other.held._replace(attempt=other.attempt - 1))
    progresses = [late if each is other else progress_of(each, [2.0, 1.0]) for each in claim.members]
    with database.begin() as connection:
        stored = lifecycle.record_all(connection, progresses).stored
    assert stored == {member.id: 1 for member in claim.members[2:]}
    assert [curve_of(database, member.id) for member in claim.members] == [[], [], [2.0, 1.0], [2.0, 1.0]]


def test_a_pack_succeeds_without_those_that_moved_on_and_each_leaves_one_event(
    database: Database, settings: Settings
) -> None:
    for seed in range(3):
        submitted(database, settings, seed=seed)
    claim = claimed(database, worker_of(database))
    gone, *others = claim.members
    with database.begin() as connection:
        lifecycle.cancel_by_worker(connection, gone.held, actor="worker")
    ended = [Ended(each.held, Outcome({"a": 1.0}, "y = 1", {})) for each in claim.members]
    for expected in ({each.id for each in others}, set()):
        with database.begin() as connection:
            assert lifecycle.succeed_all(connection, ended, actor="worker") == expected
    with database.read() as connection:
        for member, state in zip(claim.members, ["cancelled", "succeeded", "succeeded"], strict=True):
            assert queries.job_by_id(connection, 1, member.id).state == state
            assert [each.to_state for each in queries.events_of(connection, 1, member.id)[0]] == [
                "queued",
                "running",
                state,
            ]


def test_the_last_record_of_a_pack_is_stored_with_the_moves_of_those_that_end(
    database: Database, settings: Settings
) -> None:
    jobs = [submitted(database, settings, seed=seed, steps=2) for seed in range(12)]
    members = claimed(database, worker_of(database)).members
    gone, *ending, trains_on = members
    with database.begin() as connection:
        lifecycle.cancel_by_worker(connection, gone.held, actor="worker")
    progresses = [progress_of(each, [2.0, 1.0]) for each in members[:-1]] + [progress_of(trains_on, [2.0])]
    ended = [Ended(each.held, Outcome({"a": 1.0}, "y = 1", {})) for each in (gone, *ending)]
    with database.begin() as connection:
        recorded = lifecycle.record_all(connection, progresses, ending={each.job_id for each in ended})
        assert list(recorded.stored) == jobs[1:]
        done = lifecycle.succeed_all(connection, ended, actor="worker", recorded=recorded)
    assert done == {each.id for each in ending}
    with database.read() as connection:
        rows = [queries.job_by_id(connection, 1, job) for job in jobs]
        kinds = [[each.kind for each in queries.events_of(connection, 1, job)[0]] for job in jobs]
    assert [row.state for row in rows] == ["cancelled", *["succeeded"] * 10, "running"]
    assert [(row.steps_done, row.loss_last) for row in rows] == [(0, None), *[(2, 1.0)] * 10, (1, 2.0)]
    assert [row.finished_at is None for row in rows] == [False] * 11 + [True]
    assert kinds[1:] == [["submitted", "claimed", "succeeded"]] * 10 + [["submitted", "claimed"]]


def test_metrics_and_arrays_come_back_as_they_were(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    first, second = progress_of(member, [4.0, 3.0]), progress_of(member, [2.0, 1.0], 2)
    array = np.arange(6, dtype=np.float64).reshape(2, 3).T
    with database.begin() as connection:
        for each, values in ((first, [0.5]), (first, [0.5]), (second, [0.25])):
            measured = {"held out": np.array(values, dtype=np.float32)}
            assert lifecycle.record(connection, replace(each, metrics=measured, every=2))
        outcome = Outcome(None, None, {}, {"weights": array, "flag": np.array(True)})
        assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
    with database.read() as connection:
        assert queries.metric_names(connection, 1, job) == ["held out"]
        curve = queries.metric_curve(connection, 1, job, "held out")
        assert (curve.steps.tolist(), curve.values.tolist()) == ([0, 2], [0.5, 0.25])
        np.testing.assert_array_equal(queries.artifact(connection, 1, job, "weights"), array)
        assert [(each.name, each.dtype, each.shape) for each in queries.artifacts_of(connection, 1, job)] == [
            ("flag", "bool", []), ("weights", "float64", [3, 2]),
        ]  # fmt: skip
        with pytest.raises(NotFound):
            queries.artifact(connection, 2, job, "weights")
        with pytest.raises(NotFound):
            queries.metric_curve(connection, 1, job, "nothing")


def test_a_job_that_goes_back_to_an_older_checkpoint_loses_its_later_metrics(
    database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    parts: list[tuple[Progress, float]] = [(progress_of(member, [4.0]), 0.5), (progress_of(member, [3.0], 1), 0.25)]
    with database.begin() as connection:
        for progress, value in parts:
            lifecycle.record(connection, replace(progress, metrics={"m": np.array([value])}))
        assert lifecycle.rewind(connection, member.held, 1)
    with database.read() as connection:
        assert queries.metric_curve(connection, 1, job, "m").values.tolist() == [0.5]


def test_a_rewind_cuts_a_record_that_was_sent_again_with_more_losses(database: Database, settings: Settings) -> None:
    job = submitted(database, settings, steps=9)
    member = claimed(database, worker_of(database)).members[0]
    metrics = {"m": np.array([0.5, 0.25])}
    with database.begin() as connection:
        for losses in ([4.0, 3.0], [4.0, 3.0, 1.0]):
            assert lifecycle.record(connection, replace(progress_of(member, losses), metrics=metrics, every=2))
        assert lifecycle.rewind(connection, member.held, 2)
        assert lifecycle.record(connection, progress_of(member, [2.5], 2))
    assert curve_of(database, job) == [4.0, 3.0, 2.5]
    with database.read() as connection:
        assert queries.metric_curve(connection, 1, job, "m").values.tolist() == [0.5]
        assert queries.job_by_id(connection, 1, job).loss_last == 2.5


@pytest.mark.parametrize(("most", "width"), [(1, 1), (3, 3), (512, 5)])
def test_no_pack_is_wider_than_its_workers_limit(database: Database, settings: Settings, most: int, width: int) -> None:
    for seed in range(5):
        submitted(database, settings, seed=seed)
    claim = claimed(database, replace(worker_of(database), most_members=most))
    assert len(claim.members) == width
    with database.read() as connection:
        assert queries.counts_by_state(connection, 1)[State.RUNNING] == width


@pytest.mark.parametrize(
    ("points", "free", "asked", "width"),
    [(2000, 81920, None, 4096), (300_000, 81920, None, 838), (2000, 81920, 1024, 60), (1_000_000, 40, None, 1)],
)
def test_a_pack_on_a_gpu_is_as_wide_as_its_free_memory_allows(
    points: int, free: int, asked: int | None, width: int
) -> None:
    autograd = stage_named("autograd")
    assert autograd.width("float32", points, "eager", "gpu", free, asked) == width
    assert autograd.width("float32", points, "cudagraph", "gpu", free, asked) == width


def test_a_claim_on_a_gpu_takes_what_fits_into_its_memory(database: Database, settings: Settings) -> None:
    for seed in range(5):
        submitted(database, settings, seed=seed, stage="autograd", device="gpu", dataset={"points": 100_000})
    worker = replace(worker_of(database, queue="gpu"), memory_mib=128)
    with database.begin() as connection:
        claim = lifecycle.claim(connection, worker, 15.0, memory_mib=100)
    assert claim is not None
    assert len(claim.members) == 3  # of 64 arrays of 400 kB each, in three quarters of the memory


def test_everybody_in_a_pack_finds_the_memory_that_it_asked_for(database: Database, settings: Settings) -> None:
    gpu = replace(worker_of(database, "gpu-0", "gpu"), memory_mib=80_000)
    asks = [None, None, 40_000, 40_000, 40_000, 10_000]
    jobs = [submitted(database, settings, device="gpu", seed=seed, gpu_memory_mib=asked)
            for seed, asked in enumerate(asks)]  # fmt: skip
    packs = []
    for _ in range(3):
        with database.begin() as connection:
            claim = lifecycle.claim(connection, gpu, 15.0, 80_000)
        assert claim is not None
        packs.append([jobs.index(member.id) for member in claim.members])
        with database.begin() as connection:
            for member in claim.members:
                lifecycle.cancel_by_worker(connection, member.held, actor="worker")
            lifecycle.release(connection, claim.id, actor="worker")
    assert packs == [[0, 1], [2], [3]]


def test_a_job_that_asks_for_more_memory_than_there_is_waits(database: Database, settings: Settings) -> None:
    submitted(database, settings, device="gpu", gpu_memory_mib=40_001)
    gpu = replace(worker_of(database, "gpu-0", "gpu"), memory_mib=40_000)
    with database.begin() as connection:
        assert lifecycle.claim(connection, gpu, 15.0) is None
        assert lifecycle.claim(connection, replace(gpu, memory_mib=40_001), 15.0) is not None


def test_jobs_with_inline_data_make_packs_that_can_be_sent(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["gradyard.store.lifecycle.choose_pack"], "MOST_INLINE_POINTS", 30)
    data = {"kind": "inline", "x": [float(each) for each in range(10)], "y": [0.0] * 10}
    for seed in range(8):
        submitted(database, settings, dataset=data, seed=seed)
    assert len(claimed(database, worker_of(database)).members) == 3
