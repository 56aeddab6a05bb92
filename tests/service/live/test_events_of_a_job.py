"""The stream of a job: its moves, its curve and its end, exactly once over every reconnection."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import ClaimedJob
from tests.actors import claimed, fails, progress_of, submitted, succeeds, worker_of
from tests.service.live.told import STREAM, all_of, curve_in, next_of, stream


def recorded(database: Database, member: ClaimedJob, losses: list[float], start_step: int = 0, **how: bool) -> None:
    """Store a record of these losses."""
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(member, losses, start_step, **how))


def handed_back(database: Database, member: ClaimedJob) -> None:
    """Put the job back into the queue."""
    with database.begin() as connection:
        assert lifecycle.hand_back(connection, member.held, actor="worker", detail="its worker stopped")
        lifecycle.release(connection, member.claim_id, actor="worker")


def path_of(job: UUID) -> str:
    return f"/v1/jobs/{job}/events"


def test_a_finished_job_is_told_whole_and_the_stream_ends(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    told = all_of(client, path_of(job))
    assert [each.name for each in told] == ["move", "move", "move", "curve", "ended"]
    assert [each.data["to"] for each in told[:3]] == ["queued", "running", "succeeded"]
    assert [each.data["steps_done"] for each in told[:3]] == [0, 0, 4]
    assert told[3].data == {
        "job": str(job), "from_step": 0, "to_step": 4, "steps": None, "losses": [4, 3, 2, 1], "metrics": {}
    }  # fmt: skip
    shown: Any = client.get(f"/v1/jobs/{job}").json
    assert told[4].data == shown


def test_what_happens_is_told_as_it_happens(client: FlaskClient, database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    with stream(client, path_of(job)) as told:
        assert next(told).data["kind"] == "submitted"
        assert next(told).data == {
            "job": str(job), "state": "queued", "attempt": 0, "steps": 4, "steps_done": 0
        }  # fmt: skip
        claim = claimed(database, worker_of(database))
        assert next_of(told, "move").data["kind"] == "claimed"
        recorded(database, claim.members[0], [4.0, 3.0])
        assert next_of(told, "curve").data["losses"] == [4, 3]
        assert next_of(told, "progress").data["steps_done"] == 2
        recorded(database, claim.members[0], [2.0, 1.0], 2)
        assert next_of(told, "curve").data["from_step"] == 2
        fails(database, claim)
        assert next_of(told, "ended").data["state"] == "failed"
        assert list(told) == []


def test_a_stream_goes_on_after_any_message_and_tells_nothing_twice(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    first = claimed(database, worker_of(database))
    recorded(database, first.members[0], [4.0, 3.0])
    handed_back(database, first.members[0])
    succeeds_from(database, 2, [2.0, 1.0])
    whole = all_of(client, path_of(job))
    assert curve_in(whole) == [4, 3, 2, 1]
    for number, before in enumerate(whole[:-1]):
        assert all_of(client, path_of(job), before.id) == whole[number + 1 :]


def succeeds_from(database: Database, step: int, losses: list[float]) -> None:
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        (member,) = claim.members
        assert lifecycle.record(connection, progress_of(member, losses, step))
        outcome = lifecycle.Outcome({"a": 0.5}, "y = 0.5", {"engine": "eager"})
        assert lifecycle.succeed(connection, member.held, outcome, actor="worker")


def test_a_browser_that_was_told_the_end_asks_no_more(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    last = all_of(client, path_of(job))[-1]
    assert client.get(path_of(job), headers=STREAM | {"Last-Event-ID": last.id}).status_code == 204


def test_the_end_is_told_with_the_name_that_the_job_has_by_then(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    assert all_of(client, path_of(job))[-1].data["name"] is None
    assert client.patch(f"/v1/jobs/{job}", json={"name": "mine"}).status_code == 200
    assert all_of(client, path_of(job))[-1].data["name"] == "mine"


@pytest.mark.parametrize("looks", [True, False], ids=["seen in between", "unseen"])
def test_losses_that_are_void_since_the_job_went_back_are_told_anew(
    client: FlaskClient, database: Database, settings: Settings, looks: bool
) -> None:
    """Its first checkpoint is after two steps; the next attempt trains the other two with other numbers."""
    job = submitted(database, settings, steps=6)
    claim = claimed(database, worker_of(database))
    recorded(database, claim.members[0], [9.0, 8.0])
    recorded(database, claim.members[0], [7.0, 6.0], 2, checkpoint=False)
    with stream(client, path_of(job)) as told:
        before = [next_of(told, "curve")]
        assert curve_in(before) == [9, 8, 7, 6]
        handed_back(database, claim.members[0])
        if looks:
            back = next_of(told, "move")
            assert (back.data["kind"], back.data["steps_done"]) == ("handed_back", 2)
        again = claimed(database, worker_of(database))
        recorded(database, again.members[0], [5.0, 4.0, 3.0], 2)
        after = next_of(told, "curve")
        assert after.data["from_step"] == 2
        assert curve_in([*before, after]) == [9, 8, 5, 4, 3]
    with stream(client, path_of(job), before[0].id) as told:
        assert curve_in([*before, next_of(told, "curve")]) == [9, 8, 5, 4, 3]


def test_a_record_that_was_stored_again_with_more_losses_is_told_once(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, steps=6)
    claim = claimed(database, worker_of(database))
    with stream(client, path_of(job)) as told:
        recorded(database, claim.members[0], [9.0, 8.0])
        assert next_of(told, "curve").data["losses"] == [9, 8]
        recorded(database, claim.members[0], [9.0, 8.0, 7.0])  # the answer to its commit was lost
        more = next_of(told, "curve").data
        assert (more["from_step"], more["losses"]) == (2, [7])


def test_losses_are_told_bit_for_bit_and_what_is_not_finite_is_null(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, steps=1000)
    losses = np.random.default_rng(7).lognormal(size=1000).astype(np.float32)
    losses[500] = np.nan
    claim = claimed(database, worker_of(database))
    recorded(database, claim.members[0], losses.tolist())
    with stream(client, path_of(job)) as told:
        found = next_of(told, "curve").data["losses"]
    assert found[500] is None
    assert np.array_equal(np.array(found, np.float32), losses, equal_nan=True)


@pytest.mark.parametrize(("asked", "most"), [("", 10_000), ("?points=100", 100)])
def test_a_long_range_comes_with_some_of_its_steps(
    client: FlaskClient, database: Database, settings: Settings, asked: str, most: int
) -> None:
    job = submitted(database, settings, steps=30_000)
    claim = claimed(database, worker_of(database))
    losses = np.random.default_rng(7).random(25_000, np.float32)
    recorded(database, claim.members[0], losses.tolist())
    with stream(client, path_of(job) + asked) as told:
        part = next_of(told, "curve").data
        assert (part["from_step"], part["to_step"]) == (0, 25_000)
        assert len(part["steps"]) == len(part["losses"]) <= most
        assert np.array_equal(np.array(part["losses"], np.float32), losses[part["steps"]])
        assert {0, 24_999, int(losses.argmin()), int(losses.argmax())} <= set(part["steps"])
        recorded(database, claim.members[0], [0.5, 0.25], 25_000)
        after = next_of(told, "curve").data
        assert (after["from_step"], after["steps"], after["losses"]) == (25_000, None, [0.5, 0.25])


def test_every_loss_comes_in_several_messages(client: FlaskClient, database: Database, settings: Settings) -> None:
    job = submitted(database, settings, steps=250_000)
    losses = np.random.default_rng(7).random(250_000, np.float32)
    claim = claimed(database, worker_of(database))
    succeeds(database, claim, losses.tolist())
    told = all_of(client, path_of(job) + "?points=all")
    parts = [each for each in told if each.name == "curve"]
    assert [len(each.data["losses"]) for each in parts] == [10_000] * 25
    assert np.array_equal(np.array(curve_in(told), np.float32), losses)
    half = parts[12]
    assert [each.id for each in all_of(client, path_of(job) + "?points=all", half.id)] == [
        each.id for each in told[told.index(half) + 1 :]
    ]


def test_metrics_come_with_the_losses_of_their_steps_and_those_of_the_final_weights_last(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    claim = claimed(database, worker_of(database))
    (member,) = claim.members
    with stream(client, path_of(job)) as told:
        with database.begin() as connection:
            first = progress_of(member, [4.0, 3.0])
            first.metrics["accuracy"] = np.array([0.25, np.nan])
            assert lifecycle.record(connection, first)
        assert next_of(told, "curve").data["metrics"] == {"accuracy": {"steps": [0, 1], "values": [0.25, None]}}
        with database.begin() as connection:
            last = progress_of(member, [2.0, 1.0], 2)
            last.metrics["accuracy"] = np.array([0.5, 0.75])
            last.final_metrics["accuracy"] = 1.0
            assert lifecycle.record(connection, last)
        part = next_of(told, "curve").data
        assert part["metrics"] == {"accuracy": {"steps": [2, 3, 4], "values": [0.5, 0.75, 1.0]}}
        with database.begin() as connection:
            outcome = lifecycle.Outcome({"a": 0.5}, "y = 0.5", {"engine": "eager"})
            assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
        assert [each.name for each in told if each.name != "progress"] == ["move", "ended"]


def test_a_job_that_is_deleted_meanwhile_ends_the_stream_with_what_410_says(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job, other = submitted(database, settings), submitted(database, settings, steps=7)
    fails(database, claimed(database, worker_of(database)))
    path = f"/v1/events?job={job}&job={other}"
    with stream(client, path) as told:
        ended = next_of(told, "ended")
        assert ended.data["id"] in (str(job), str(other))
        left = other if ended.data["id"] == str(job) else job
        with database.begin() as connection:
            lifecycle.request_cancel(connection, job_id=left, actor="test")
            assert lifecycle.delete_job(connection, 1, left)
        problem = next_of(told, "problem")
        assert list(told) == []
    assert (problem.data["status"], problem.data["type"], problem.data["job"]) == (410, "gone", str(left))
    gone: Any = client.get(path_of(left), headers=STREAM)
    assert gone.status_code == 410
    assert gone.json | {"job": str(left)} == problem.data
    assert client.get(path, headers=STREAM | {"Last-Event-ID": problem.id}).status_code == 204


def test_without_a_wish_the_events_are_a_list_as_before(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    for accept in ("application/json", "*/*", "text/html, */*"):
        answer: Any = client.get(path_of(job), headers={"Accept": accept})
        assert answer.json["events"][0]["steps_done"] == 0
    refused: Any = client.get(path_of(job), headers={"Accept": "text/html"})
    assert (refused.status_code, "text/event-stream" in refused.json["detail"]) == (406, True)


@pytest.mark.parametrize("last_id", ["7", "1.2.3", "1.2,1.2", "1-2", "99999999999999999999.0", "١.٢"])
def test_an_id_of_another_stream_is_refused(
    client: FlaskClient, database: Database, settings: Settings, last_id: str
) -> None:
    job = submitted(database, settings)
    sent = STREAM | {"Last-Event-ID": last_id.encode().decode("latin-1")}
    refused: Any = client.get(path_of(job), headers=sent)
    assert refused.status_code == 400
    assert refused.json["detail"].startswith("Last-Event-ID: ")


def test_after_a_move_by_an_older_version_the_whole_curve_is_told_anew(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    """Such an event does not say from which step the job went on."""
    job = submitted(database, settings, steps=6)
    claim = claimed(database, worker_of(database))
    recorded(database, claim.members[0], [9.0, 8.0])
    with stream(client, path_of(job)) as told:
        before = next_of(told, "curve")
    handed_back(database, claim.members[0])
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE job_events SET steps_done = NULL WHERE kind = 'handed_back'")
    again = claimed(database, worker_of(database))
    recorded(database, again.members[0], [7.0], 2)
    with stream(client, path_of(job), before.id) as told:
        part = next_of(told, "curve")
    assert (part.data["from_step"], part.data["losses"]) == (0, [9, 8, 7])


def test_where_the_database_lost_its_last_commits_less_is_told_than_before(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, steps=6)
    claim = claimed(database, worker_of(database))
    recorded(database, claim.members[0], [9.0, 8.0])
    with stream(client, path_of(job), "9.5") as told:
        less = next_of(told, "curve")
        assert (less.data["from_step"], less.data["losses"], less.id) == (2, [], "2.2")
        recorded(database, claim.members[0], [7.0], 2)
        assert next_of(told, "curve").data["losses"] == [7]


def test_a_move_that_takes_the_place_of_a_lost_one_is_told(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, steps=6)
    claim = claimed(database, worker_of(database))
    recorded(database, claim.members[0], [9.0, 8.0])
    with stream(client, path_of(job), "3.2") as told:  # it was told a third move, which the database lost
        next_of(told, "progress")
        handed_back(database, claim.members[0])
        assert next_of(told, "move").data["kind"] == "handed_back"
