"""Each event says how many steps were recorded after its move: what a job that went back goes on from."""

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from tests.actors import claimed, progress_of, submitted, succeeds, worker_of
from tests.store.test_batches import stored


def test_an_event_has_the_steps_that_are_recorded_after_its_move(database: Database, settings: Settings) -> None:
    job = submitted(database, settings, steps=6)
    first = claimed(database, worker_of(database))
    with database.begin() as connection:
        (member,) = first.members
        assert lifecycle.record(connection, progress_of(member, [9.0, 8.0]))
        assert lifecycle.record(connection, progress_of(member, [7.0], 2, checkpoint=False))
        assert lifecycle.hand_back(connection, member.held, actor="worker", detail="it stopped")
    second = claimed(database, worker_of(database))
    with database.begin() as connection:
        (member,) = second.members
        assert lifecycle.record(connection, progress_of(member, [6.0, 5.0], 2))
        outcome = lifecycle.Outcome({"a": 0.5}, "y = 0.5", {})
        assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
        events, _ = queries.events_of(connection, 1, job)
    assert [(event.to_state, event.steps_done) for event in events] == [
        ("queued", 0), ("running", 0), ("queued", 2), ("running", 2), ("succeeded", 4)
    ]  # fmt: skip


def test_a_job_that_was_rewound_goes_on_from_an_older_checkpoint(database: Database, settings: Settings) -> None:
    job = submitted(database, settings, steps=6)
    (member,) = claimed(database, worker_of(database)).members
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(member, [9.0, 8.0]))
        assert lifecycle.record(connection, progress_of(member, [7.0], 2))
        assert lifecycle.rewind(connection, member.held, 2)
        assert lifecycle.hand_back(connection, member.held, actor="worker", detail="a checkpoint is damaged")
        *_, last = queries.moves_after(connection, 1, job, 0)
        assert last.steps_done == 2
        assert queries.kept_steps(last, 3) == 2
        assert queries.kept_steps(last, 1) == 1


def test_the_events_of_a_batch_and_of_a_pack_have_them_as_well(database: Database) -> None:
    batch = stored(database, {"jobs": [{"stage": "tensor", "steps": 4}] * 2}).batch_id
    claim = claimed(database, worker_of(database))
    succeeds(database, claim)
    with database.read() as connection:
        for member in claim.members:
            events, _ = queries.events_of(connection, 1, member.id)
            assert [event.steps_done for event in events] == [0, 0, 4]
        assert queries.batch_heads(connection, [(1, batch), (2, batch)]).keys() == {(1, batch)}
