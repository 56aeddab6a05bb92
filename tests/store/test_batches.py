"""Batches: checked whole, stored whole, cancelled together."""

from hashlib import sha256
from io import BytesIO

import orjson
import pytest

from gradyard.jobs.errors import BatchInvalid, BodyMalformed, IdempotencyKeyReused, NotFound, QueueFull, SpecInvalid
from gradyard.jobs.settings import Settings, load
from gradyard.jobs.states import State
from gradyard.jobs.submission.batches import ParsedBatch, parse_batch
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import CancelledSlice, SubmittedBatch
from gradyard.store.upkeep import old_rows
from tests.actors import claimed, submitted, worker_of

here: Settings = load(database_url="sqlite:///unused.db")


def taken(value: object, settings: Settings = here) -> ParsedBatch:
    return parse_batch(BytesIO(orjson.dumps(value)), settings)


def stored(database: Database, value: object, key: str | None = None, most: int = 10_000) -> SubmittedBatch:
    with database.begin() as connection:
        return lifecycle.submit_batch(
            connection,
            taken(value),
            project_id=1,
            actor="test",
            max_queued=most,
            key=key,
            body_sha256=sha256(str(value).encode()).hexdigest(),
        )


def counts(database: Database, batch: SubmittedBatch) -> dict[str, int]:
    with database.read() as connection:
        found = queries.counts_of_batches(connection, [batch.batch_id])[batch.batch_id]
    return {state: count for state, count in found.items() if count}


INLINE = {"kind": "inline", "x": list(range(5000)), "y": list(range(5000))}
SWEEP = {"spec": {"stage": "nn", "steps": 5}, "grid": {"seed": {"stop": 7}}, "name": "seven"}


def test_a_list_lines_and_a_sweep_make_the_same_jobs() -> None:
    jobs = [{"stage": "nn", "steps": 5, "seed": seed} for seed in range(7)]
    lines = b"\n".join(map(orjson.dumps, jobs)) + b"\n\n"
    made = [taken({"jobs": jobs}), parse_batch(BytesIO(lines), here, lines=True), taken(SWEEP)]
    assert [[job.spec for job in batch.jobs] for batch in made] == [[job.spec for job in made[0].jobs]] * 3
    assert (made[2].name, made[2].sweep is not None, made[0].sweep) == ("seven", True, None)


def test_a_refusal_names_each_member_that_is_wrong_and_counts_them_all() -> None:
    jobs = [{"stage": "nn"}, {"stage": "nope"}, *[{"stage": "nn", "steps": 0}] * 200]
    with pytest.raises(BatchInvalid) as refusal:
        taken({"jobs": jobs})
    assert refusal.value.total == 201
    assert len(refusal.value.problems) == 100
    assert [(index, problem.pointer) for index, problem in refusal.value.problems[:2]] == [(1, "/stage"), (2, "/steps")]


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"jobs": []}, "/jobs"), ({"jobs": {}}, "/jobs"), ([], ""), ({}, ""),
        ({"spec": {}, "colour": 1}, "/colour"),
        ({"jobs": [{"stage": "nn"}], "colour": 1}, "/colour"), ({"spec": {"stage": "nn"}, "samples": 10**9}, ""),
        ({"spec": {"stage": "nn"}, "grid": {"seed": {"stop": 10**9}}}, ""),
        ({"spec": {"stage": "nn", "steps": 10**7, "dataset": {"points": 10**6}}, "samples": 2}, ""),
        ({"spec": {"stage": "nn"}, "grid": {"seed": []}}, "/grid/seed"),
        ({"spec": {"stage": "nn"}, "grid": {"seed": 5}}, "/grid/seed"),
        ({"spec": {"stage": "nn"}, "samples": 2**63}, ""),
        ({"spec": {"stage": "nn"}, "grid": {"seed": {"start": -(2**63), "stop": 2**63 - 1}}}, ""),
        ({"spec": {"stage": "nn"}, "grid": {f"a{n}": {"stop": 10**6} for n in range(10)}}, ""),
        ({"spec": {"stage": "nn"}, "grid": {f"a{n}": [1] for n in range(100)}}, "/grid"),
        ({"spec": {f"a{n}": 1 for n in range(100)}}, "/spec"), ({"jobs": [], **{f"a{n}": 1 for n in range(100)}}, ""),
        ({"spec": {"stage": "nn", "dataset": INLINE}, "samples": 5000}, ""),
    ],
)  # fmt: skip
def test_a_batch_that_is_none_or_too_much_is_refused(value: object, pointer: str) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        taken(value)
    assert any(problem.pointer.startswith(pointer) for problem in refusal.value.problems)


def test_a_batch_whose_data_take_too_long_to_check_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradyard.jobs.submission.batch_budget.MOST_WORK", 10**6)
    drawn = {"dataset.stop": {"low": 4.0, "high": 5.0}}
    spec = {"stage": "nn", "steps": 1, "dataset": {"points": 10**5}}
    with pytest.raises(SpecInvalid, match="too many points in data that differ"):
        taken({"spec": spec, "random": drawn, "samples": 100})


def test_nesting_without_end_is_refused_wherever_it_stands() -> None:
    deep: object = []
    for _ in range(300):
        deep = [deep]
    raw = b"[" * 300 + b"]" * 300
    for body in (b'{"spec": {"stage": %s}}', b'{"spec": {}, "grid": {"seed": %s}}', b'{"jobs": [], "name": %s}'):
        with pytest.raises(BodyMalformed):
            parse_batch(BytesIO(body % raw), here)
    with pytest.raises(BatchInvalid, match="nested"):
        parse_batch(BytesIO(b'{"jobs": [%s]}' % raw), here)


def test_a_job_of_a_batch_may_be_no_larger_than_a_job() -> None:
    fields = {f"f{number}": 1 for number in range(200_000)}
    with pytest.raises(BatchInvalid, match="bytes; a job has at most"):
        taken({"jobs": [fields]})
    with pytest.raises(BatchInvalid, match="far too many fields"):
        taken({"jobs": [dict(list(fields.items())[:30_000])]})


def test_a_long_sweep_is_not_kept_beside_its_batch() -> None:
    assert taken({"spec": {"stage": "nn"}, "grid": {"seed": [*range(90)]}}).sweep is not None
    long = {"spec": {"stage": "nn"}, "grid": {"seed": [2**52 + n for n in range(5000)]}}
    assert taken(long).sweep is None


def test_what_is_no_json_is_malformed() -> None:
    with pytest.raises(BodyMalformed):
        parse_batch(BytesIO(b"{"), here)
    with pytest.raises(BatchInvalid, match="not JSON"):
        parse_batch(BytesIO(b'{"stage": "nn"}\nnonsense'), here, lines=True)


def test_a_batch_is_stored_whole_and_its_jobs_are_jobs(database: Database) -> None:
    batch = stored(database, SWEEP)
    assert counts(database, batch) == {"queued": 7}
    with database.read() as connection:
        page = queries.jobs_newest_first(connection, 1, limit=10, batch=batch.batch_id)
        events = queries.events_of(connection, 1, page.jobs[0].id)[0]
        row = queries.batch_by_id(connection, 1, batch.batch_id)
    assert [job.spec["seed"] for job in page.jobs] == [6, 5, 4, 3, 2, 1, 0]
    assert [(event.to_state, event.actor) for event in events] == [("queued", "test")]
    assert (row.name, row.size, row.sweep["grid"]) == ("seven", 7, {"seed": {"start": 0, "stop": 7, "step": 1}})
    assert len(claimed(database, worker_of(database)).members) == 7


def test_a_batch_has_an_id_of_its_own(database: Database) -> None:
    batch = stored(database, SWEEP)
    with database.read() as connection:
        assert batch.batch_id not in {job.id for job in queries.jobs_newest_first(connection, 1, limit=10).jobs}
        with pytest.raises(NotFound):
            queries.job_by_id(connection, 1, batch.batch_id)


def test_a_key_makes_one_batch(database: Database, settings: Settings) -> None:
    first = stored(database, SWEEP, key="k")
    assert stored(database, SWEEP, key="k") == SubmittedBatch(first.batch_id, replayed=True)
    with pytest.raises(IdempotencyKeyReused):
        stored(database, SWEEP | {"name": "other"}, key="k")
    assert counts(database, first) == {"queued": 7}


def test_a_batch_that_does_not_fit_into_the_queue_is_not_stored_at_all(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    with pytest.raises(QueueFull):
        stored(database, SWEEP, most=7)
    with database.read() as connection:
        assert queries.counts_by_state(connection, 1)["queued"] == 1
        assert queries.batches_newest_first(connection, 1, limit=5) == ([], None)
    stored(database, SWEEP, most=8)


def test_a_key_lives_as_long_as_any_job_of_its_batch(database: Database) -> None:
    first = stored(database, SWEEP, key="k")
    with database.read() as connection:
        oldest = queries.jobs_newest_first(connection, 1, limit=10, batch=first.batch_id).jobs[-1].id
    with database.begin() as connection:
        lifecycle.request_cancel(connection, oldest, actor="test")
    assert old_rows.forget_keys(database, hours=-1.0) == 0
    with database.begin() as connection:
        lifecycle.delete_job(connection, 1, oldest)
    assert stored(database, SWEEP, key="k") == SubmittedBatch(first.batch_id, replayed=True)
    with database.begin() as connection:
        lifecycle.cancel_some(connection, first.batch_id, actor="test")
    assert old_rows.forget_keys(database, hours=-1.0) == 1


def test_a_batch_larger_than_the_queue_will_never_fit(database: Database) -> None:
    with pytest.raises(SpecInvalid, match="7 jobs; at most 6"):
        stored(database, SWEEP, most=6)


def test_what_is_claimed_while_a_batch_is_cancelled_is_cancelled_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradyard.store.lifecycle.cancel.CANCEL_SLICE", 3)
    batch = stored(database, {"jobs": [{"stage": "nn", "steps": 5 + number} for number in range(6)]})
    with database.begin() as connection:
        assert lifecycle.cancel_some(connection, batch.batch_id, actor="test") == CancelledSlice(3, more=True)
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        assert not lifecycle.cancel_some(connection, batch.batch_id, actor="test").more
        assert set(queries.cancelled_members(connection, claim.id)) == {member.id for member in claim.members}
    assert counts(database, batch) == {"running": 1, "cancelled": 5}


def test_a_batch_is_cancelled_together(database: Database) -> None:
    batch = stored(database, {"jobs": [{"stage": "nn", "steps": 5 + number % 2} for number in range(6)]})
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        assert not lifecycle.cancel_some(connection, batch.batch_id, actor="test").more
        assert queries.marked_among(connection, [batch.batch_id]) == {batch.batch_id}
        assert set(queries.cancelled_members(connection, claim.id)) == {member.id for member in claim.members}
    assert counts(database, batch) == {"running": 3, "cancelled": 3}
    with database.begin() as connection:
        assert lifecycle.move_silent_batch(connection, batch.batch_id, actor="test") == 3
        assert not queries.marked_among(connection, [batch.batch_id])
    assert counts(database, batch) == {"cancelled": 6}
    with database.read() as connection:
        events = queries.events_of(connection, 1, claim.members[0].id)[0]
    assert [event.to_state for event in events] == [State.QUEUED, State.RUNNING, State.CANCELLED]
