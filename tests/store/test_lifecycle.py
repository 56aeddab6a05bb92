"""The protocol on both databases: who may write what, and when a write is a zombie's."""

import threading
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from gradyard.jobs.errors import IdempotencyKeyReused, IllegalMove, NotFound, QueueFull
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason, State
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from gradyard.store.upkeep import old_rows
from tests.actors import claimed, expires, nothing_else, progress_of, submitted, succeeds, worker_of


def test_a_zombie_cannot_write_anything(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    worker = worker_of(database)
    old = claimed(database, worker, lease=-1.0).members[0]
    with database.begin() as connection:
        assert expires(connection) == 1
    new = claimed(database, worker).members[0]
    assert (old.id, new.attempt) == (new.id, old.attempt + 1)
    outcome = Outcome({"a": 1.0}, "y = 1", {})
    with nothing_else(database), database.begin() as connection:
        assert not lifecycle.record(connection, progress_of(old, [1.0]))
        assert not lifecycle.succeed(connection, old.held, outcome, actor="zombie")
        assert not lifecycle.hand_back(connection, old.held, actor="zombie", detail="late")
        assert not lifecycle.cancel_by_worker(connection, old.held, actor="zombie")
        assert not lifecycle.rewind(connection, old.held, 0)
    with database.read() as connection:
        assert len(queries.loss_curve(connection, 1, old.id, "float32")) == 0


def test_a_result_is_stored_once_and_read_back_as_it_was(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)), [4.0, 3.5, 0.1, 2.0])
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, job)
        curve = queries.loss_curve(connection, 1, job, row.dtype)
    assert row.state == State.SUCCEEDED
    assert row.coefficients == {"a": 0.5, "b": 1.5}
    np.testing.assert_array_equal(curve, np.array([4.0, 3.5, 0.1, 2.0], dtype=np.float32))


def test_a_record_sent_twice_is_stored_once(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    for _ in range(2):
        with database.begin() as connection:
            assert lifecycle.record(connection, progress_of(member, [2.0, 1.0]))
    with database.read() as connection:
        assert len(queries.loss_curve(connection, 1, member.id, "float32")) == 2


def test_a_record_whose_answer_got_lost_is_sent_again_with_more_losses(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    for losses in ([4.0, 3.0], [4.0, 3.0, 2.0]):
        with database.begin() as connection:
            assert lifecycle.record(connection, progress_of(member, losses))
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(member, [1.0], 3))
    with database.read() as connection:
        assert queries.loss_curve(connection, 1, member.id, "float32").tolist() == [4.0, 3.0, 2.0, 1.0]


def test_a_job_that_was_handed_back_goes_on_from_its_newest_checkpoint(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    worker = worker_of(database)
    claim = claimed(database, worker)
    member = claim.members[0]
    with database.begin() as connection:
        lifecycle.record(connection, progress_of(member, [4.0, 3.0]))
        lifecycle.hand_back(connection, member.held, actor="worker", detail="the worker stops")
        lifecycle.release(connection, claim.id, actor="worker")
    again = claimed(database, worker)
    assert (again.start_step, again.members[0].attempt) == (2, 2)


def test_going_back_to_an_older_checkpoint_takes_the_later_losses_with_it(
    database: Database, settings: Settings
) -> None:
    submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    with database.begin() as connection:
        lifecycle.record(connection, progress_of(member, [4.0, 3.0]))
        lifecycle.record(connection, progress_of(member, [9.0], start_step=2))
        assert lifecycle.rewind(connection, member.held, 2)
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, member.id)
        assert list(queries.loss_curve(connection, 1, member.id, "float32")) == [4.0, 3.0]
        assert [each.step for each in queries.checkpoints_of(connection, member.id)] == [2]
    assert (row.loss_last, row.loss_min, row.loss_min_step, row.steps_done) == (3.0, 3.0, 1, 2)


def test_only_the_newest_two_checkpoints_are_kept(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    with database.begin() as connection:
        for step in range(4):
            lifecycle.record(connection, progress_of(member, [1.0], start_step=step))
    with database.read() as connection:
        assert [each.step for each in queries.checkpoints_of(connection, member.id)] == [4, 3]


def test_two_workers_never_claim_the_same_job(database: Database, settings: Settings) -> None:
    jobs = {submitted(database, settings, max_retries=n, steps=4 + n) for n in range(12)}  # no two of one pack key
    workers = [worker_of(database, f"cpu-{n}") for n in range(4)]
    taken: list[UUID] = []
    together = threading.Barrier(len(workers))

    def take_all(number: int) -> None:
        together.wait()
        while True:
            with database.begin() as connection:
                claim = lifecycle.claim(connection, workers[number], 15.0)
            if claim is None:
                return
            taken.extend(member.id for member in claim.members)

    threads = [threading.Thread(target=take_all, args=(number,)) for number in range(len(workers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(jobs)


def test_the_turn_goes_by_priority_then_by_age(database: Database, settings: Settings) -> None:
    first = submitted(database, settings, steps=1)
    second = submitted(database, settings, steps=2)
    urgent = submitted(database, settings, steps=3, priority=5)
    worker = worker_of(database)
    assert [claimed(database, worker).members[0].id for _ in range(3)] == [urgent, first, second]


def test_jobs_of_one_pack_key_are_claimed_together(database: Database, settings: Settings) -> None:
    alike = [submitted(database, settings, seed=seed, learning_rate=10.0 ** -(6 + seed)) for seed in range(3)]
    other = submitted(database, settings, steps=5)
    worker = worker_of(database)
    assert [member.id for member in claimed(database, worker).members] == alike
    assert [member.id for member in claimed(database, worker).members] == [other]


def test_the_more_points_the_narrower_the_pack(database: Database, settings: Settings) -> None:
    for seed in range(8):
        submitted(database, settings, stage="autograd", seed=seed, dataset={"kind": "function", "points": 50_000})
    # 2 x 50,000 x 4 bytes is what a pack of 64 has at 2,000; a third would be over it.
    assert len(claimed(database, worker_of(database)).members) == 2


def test_riders_are_shared_out_among_idle_slots(database: Database, settings: Settings) -> None:
    for seed in range(8):
        submitted(database, settings, seed=seed)
    one, two = worker_of(database, "cpu-0"), worker_of(database, "cpu-1")
    assert len(claimed(database, one).members) == 4
    assert len(claimed(database, two).members) == 4


def test_a_worker_claims_only_what_it_can_train(database: Database, settings: Settings) -> None:
    submitted(database, settings, device="gpu")
    submitted(database, settings, pool="blue")
    worker = worker_of(database)
    with database.begin() as connection:
        assert lifecycle.claim(connection, worker, 15.0) is None


def test_a_job_for_any_device_is_fixed_to_the_class_of_its_first_claimer(
    database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, device="auto")
    claimed(database, worker_of(database, "gpu-0", queue="gpu"))
    with database.read() as connection:
        assert queries.job_by_id(connection, 1, job).queue == "gpu"


def test_a_lost_pack_is_queued_again_in_halves_and_no_job_is_blamed(database: Database, settings: Settings) -> None:
    jobs = [submitted(database, settings, seed=seed) for seed in range(4)]
    worker = worker_of(database)
    claimed(database, worker, lease=-1.0)
    with database.begin() as connection:
        assert lifecycle.expired_claims(connection)
        assert expires(connection) == 4
    with database.read() as connection:
        rows = [queries.job_by_id(connection, 1, job) for job in jobs]
    assert [(row.state, row.losses, row.max_pack) for row in rows] == [("queued", 0, 2)] * 4
    assert len(claimed(database, worker).members) == 2


def test_a_job_whose_worker_vanishes_ten_times_while_alone_is_poison(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    worker = worker_of(database)
    for _ in range(10):
        claimed(database, worker, lease=-1.0)
        with database.begin() as connection:
            expires(connection)
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, job)
    assert (row.state, row.reason) == ("failed", "poison")


def test_a_pack_never_grows_wider_than_any_member_may_be_packed(database: Database, settings: Settings) -> None:
    worker = worker_of(database)
    jobs = [submitted(database, settings, seed=seed, priority=priority) for seed, priority in enumerate([1, 0, 0, 0])]
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET max_pack = 2 WHERE priority = 0")
        connection.exec_driver_sql("UPDATE jobs SET max_pack = NULL WHERE priority = 1")
    assert [member.id for member in claimed(database, worker).members] == jobs[:2]
    assert [member.id for member in claimed(database, worker).members] == jobs[2:]


def test_the_engine_is_chosen_at_the_first_claim_and_kept(database: Database, settings: Settings) -> None:
    job = submitted(database, settings, execution="compiled")
    able = replace(worker_of(database), engines=("eager", "inductor"))
    claim = claimed(database, able)
    assert claim.engine == "inductor"
    with database.begin() as connection:
        lifecycle.release(connection, claim.id, actor="worker")
        assert lifecycle.claim(connection, replace(able, engines=("eager",)), 15.0) is None
    submitted(database, settings, execution="compiled")
    with database.begin() as connection:
        other = lifecycle.claim(connection, replace(able, engines=("eager",)), 15.0)
    assert other is not None
    assert (other.engine, job in {member.id for member in other.members}) == ("eager", False)


@pytest.mark.parametrize(
    ("stage", "execution", "engine"),
    [("tensor", "eager", "eager"), ("numpy", "compiled", "blas"), ("nn", "gram", "gram"), ("nn", "compiled", "eager")],
)
def test_a_job_is_trained_with_what_the_worker_has(
    database: Database, settings: Settings, stage: str, execution: str, engine: str
) -> None:
    submitted(database, settings, stage=stage, execution=execution)
    worker = replace(worker_of(database), engines=("eager", "gram", "blas"))
    assert claimed(database, worker).engine == engine


def test_the_death_of_a_worker_process_blames_no_job_in_a_pack_of_several(
    database: Database, settings: Settings
) -> None:
    jobs = [submitted(database, settings, seed=seed) for seed in range(4)]
    claimed(database, worker_of(database))
    successor = worker_of(database)
    with database.begin() as connection:
        assert lifecycle.hand_back_slot(connection, successor) == 4
    with database.read() as connection:
        rows = [queries.job_by_id(connection, 1, job) for job in jobs]
    assert [(row.state, row.losses, row.max_pack) for row in rows] == [("queued", 0, 2)] * 4


def test_a_job_whose_worker_process_dies_ten_times_while_alone_is_poison(
    database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    for _ in range(10):
        claimed(database, worker_of(database))
        successor = worker_of(database)
        with database.begin() as connection:
            lifecycle.hand_back_slot(connection, successor)
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, job)
    assert (row.state, row.reason, row.attempt) == ("failed", "poison", 10)


def test_a_worker_that_enters_twice_is_there_once(database: Database) -> None:
    worker = worker_of(database)
    with database.begin() as connection:
        fleet.register(connection, worker, 15.0)
    with database.read() as connection:
        assert queries.live_slots(connection) == {"cpu": 1}


@pytest.mark.parametrize("text", ["NUL \x00", "half a character \udc80"])
def test_any_output_of_a_trainer_can_be_stored(database: Database, settings: Settings, text: str) -> None:
    submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    with database.begin() as connection:
        assert lifecycle.fail(connection, member.held, Reason.ERROR, text, actor="worker")
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, member.id)
    assert row.message.startswith(text[:4])


def test_a_new_worker_of_a_slot_hands_back_what_the_dead_one_held(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    claimed(database, worker_of(database, "cpu-0"))
    other = worker_of(database, "cpu-1")
    successor = worker_of(database, "cpu-0")
    with database.begin() as connection:
        assert lifecycle.hand_back_slot(connection, other) == 0
        assert lifecycle.hand_back_slot(connection, successor) == 1
    with database.read() as connection:
        assert queries.state_of(connection, 1, job) is State.QUEUED
        assert queries.live_slots(connection) == {"cpu": 2}
        assert {row.id for row in queries.workers_seen(connection)} == {other.id, successor.id}


def test_cancel_moves_a_queued_job_at_once_and_marks_a_running_one(database: Database, settings: Settings) -> None:
    queued = submitted(database, settings)
    with database.begin() as connection:
        assert lifecycle.request_cancel(connection, queued, actor="test") is State.CANCELLED
        assert lifecycle.request_cancel(connection, queued, actor="test") is State.CANCELLED
    running = submitted(database, settings)
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        assert lifecycle.request_cancel(connection, running, actor="test") is State.RUNNING
    with database.read() as connection:
        assert queries.cancelled_members(connection, claim.id) == [running]
    with database.begin() as connection:
        assert lifecycle.move_silent(connection, running, actor="api")
        assert not lifecycle.cancel_by_worker(connection, claim.members[0].held, actor="worker")


def test_a_job_marked_for_cancel_is_not_queued_again(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    with database.begin() as connection:
        lifecycle.request_cancel(connection, job, actor="test")
        assert lifecycle.hand_back(connection, member.held, actor="worker", detail="the worker stops")
    with database.read() as connection:
        assert queries.state_of(connection, 1, job) is State.CANCELLED


def test_a_job_that_is_over_cannot_be_cancelled(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    with pytest.raises(IllegalMove, match="succeeded already"), database.begin() as connection:
        lifecycle.request_cancel(connection, job, actor="test")


def test_a_claim_that_ends_without_a_word_queues_its_jobs_again(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        lifecycle.release(connection, claim.id, actor="worker")
    with database.read() as connection:
        assert queries.state_of(connection, 1, job) is State.QUEUED


def test_a_heartbeat_renews_its_own_claim_and_no_other(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    worker = worker_of(database)
    claim = claimed(database, worker, lease=-1.0)
    with database.begin() as connection:
        assert fleet.heartbeat(connection, worker, 15.0, claim.id, 3)
        assert not lifecycle.expired_claims(connection)
        lifecycle.release(connection, claim.id, actor="worker")
        assert not fleet.heartbeat(connection, worker, 15.0, claim.id, 4)


def test_a_worker_that_leaves_is_forgotten_and_one_that_wakes_late_is_entered_again(
    database: Database, settings: Settings
) -> None:
    worker = worker_of(database)
    with database.begin() as connection:
        fleet.retire(connection, worker.id)
        assert queries.workers_seen(connection) == []
        assert fleet.heartbeat(connection, worker, 15.0)
        assert queries.live_slots(connection) == {"cpu": 1}


def test_one_key_makes_one_job_and_refuses_another_body(database: Database, settings: Settings) -> None:
    body = b'{"stage": "tensor"}'
    parsed = parse_job(body, settings)
    ids = []
    for _ in range(2):
        with database.begin() as connection:
            found = lifecycle.submit(connection, parsed, project_id=1, actor="t", max_queued=9, key="k", body=body)
            ids.append((found.job_id, found.replayed))
    assert ids == [(ids[0][0], False), (ids[0][0], True)]
    with pytest.raises(IdempotencyKeyReused), database.begin() as connection:
        lifecycle.submit(connection, parsed, project_id=1, actor="t", max_queued=9, key="k", body=b"other")


def test_twins_with_one_key_make_one_job(database: Database, settings: Settings) -> None:
    body = b'{"stage": "tensor"}'
    parsed = parse_job(body, settings)
    found = []
    together = threading.Barrier(6)

    def submit() -> None:
        together.wait()
        with database.begin() as connection:
            found.append(lifecycle.submit(
                connection, parsed, project_id=1, actor="t", max_queued=9, key="k", body=body
            ))  # fmt: skip

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.job_id for each in found}) == 1
    assert sum(not each.replayed for each in found) == 1


def test_a_full_queue_refuses_and_stores_nothing(database: Database, settings: Settings) -> None:
    parsed = parse_job(b'{"stage": "tensor"}', settings)
    with database.begin() as connection:
        lifecycle.submit(connection, parsed, project_id=1, actor="t", max_queued=1)
    with nothing_else(database), pytest.raises(QueueFull), database.begin() as connection:
        lifecycle.submit(connection, parsed, project_id=1, actor="t", max_queued=1)


def test_old_keys_of_jobs_that_are_over_are_forgotten(database: Database, settings: Settings) -> None:
    body = b'{"stage": "tensor", "steps": 4}'
    parsed = parse_job(body, settings)

    def submit() -> bool:
        with database.begin() as connection:
            return lifecycle.submit(
                connection, parsed, project_id=1, actor="t", max_queued=9, key="k", body=body
            ).replayed

    submit()
    assert old_rows.forget_keys(database, hours=-1.0) == 0  # its job is alive
    succeeds(database, claimed(database, worker_of(database)))
    assert old_rows.forget_keys(database, hours=1.0) == 0
    assert old_rows.forget_keys(database, hours=-1.0) == 1
    assert submit() is False


def test_what_belongs_to_a_job_is_hidden_from_another_project(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    with database.read() as connection:
        for table in ("jobs", "results", "loss_chunks", "checkpoints", "job_events"):
            assert set(connection.exec_driver_sql(f"SELECT project_id FROM {table}").scalars()) == {1}, table
        assert queries.events_of(connection, 2, job)[0] == []
        assert len(queries.loss_curve(connection, 2, job, "float32")) == 0
        with pytest.raises(NotFound):
            queries.job_by_id(connection, 2, job)
