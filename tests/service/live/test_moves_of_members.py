"""The moves of a batch's jobs in its stream: each once, over every reconnection, in messages of a bounded size."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import ClaimedJob
from service.live.tellers import moves_of_members
from tests.actors import claimed, fails, submitted, succeeds, worker_of
from tests.service.live.test_events_of_a_job import handed_back
from tests.service.live.test_events_of_many import batch_of, ends, retried
from tests.service.live.told import STREAM, Told, all_of, next_of, stream, until_one_succeeded

FINISHED = "succeeded", "failed"


def moves_in(told: list[Told]) -> list[dict[str, Any]]:
    """The moves that these messages tell, in their order."""
    return [move for each in told if each.name == "moves" for move in each.data["moves"]]


def numbered(told: list[Told]) -> list[tuple[str, int]]:
    return [(move["job"], move["sequence"]) for move in moves_in(told)]


def path_of(batch: UUID) -> str:
    return f"/v1/batches/{batch}/events"


def test_each_move_of_each_job_is_told_with_its_words(client: FlaskClient, database: Database) -> None:
    batch = batch_of(database)
    with stream(client, path_of(batch)) as told:
        first = next_of(told, "moves")
        assert first.data["batch"] == str(batch)
        assert [move["kind"] for move in first.data["moves"]] == ["submitted"] * 2
        claim = claimed(database, worker_of(database))
        move = next_of(told, "moves").data["moves"][0]
        assert (move["job"], move["kind"], move["sequence"]) == (str(claim.members[0].held.job_id), "claimed", 2)
        fails(database, claim)
        (move,) = next_of(told, "moves").data["moves"]
        assert (move["from"], move["to"], move["detail"]) == ("running", "failed", "error: it broke")
        listed: Any = client.get(f"/v1/jobs/{move['job']}/events").json
        assert move == {"job": move["job"], **listed["events"][-1]}


def test_a_stream_goes_on_after_any_message_and_tells_no_move_twice(client: FlaskClient, database: Database) -> None:
    batch, whole = batch_of(database, 3), list[Told]()
    with stream(client, path_of(batch)) as told:
        whole += [next_of(told, "moves")]
        member = first_member(database)
        whole += [next_of(told, "moves")]
        handed_back(database, member)
        whole += [next_of(told, "moves")]
    for _ in range(3):
        ends(database)
    positions = ["", *(each.id for each in whole)]
    for number, last_id in enumerate(positions):
        found = numbered(whole[:number]) + numbered(all_of(client, path_of(batch), last_id))
        assert len(found) == len(set(found)) == 3 * 3 + 2, "one was claimed and handed back before"
        for job in {job for job, _ in found}:
            of_job = [sequence for each, sequence in found if each == job]
            assert of_job == list(range(1, len(of_job) + 1))


def first_member(database: Database) -> ClaimedJob:
    return claimed(database, worker_of(database)).members[0]


def test_a_long_history_comes_in_several_messages(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moves_of_members, "MOST_MOVES", 4)
    batch = batch_of(database, 5)
    for _ in range(5):
        ends(database)
    whole = all_of(client, path_of(batch))
    assert [len(each.data["moves"]) for each in whole if each.name == "moves"] == [4, 4, 4, 3]
    assert len(set(numbered(whole))) == 15
    for number, each in enumerate(whole[:-1]):
        assert all_of(client, path_of(batch), each.id) == whole[number + 1 :]


def test_jobs_of_a_retry_are_told_and_deleted_ones_disturb_no_position(client: FlaskClient, database: Database) -> None:
    batch = batch_of(database, 4)
    for end in (succeeds, fails, succeeds, fails):
        end(database, claimed(database, worker_of(database)))
    with stream(client, path_of(batch)) as told:
        before = [next_of(told, "moves")]
    assert len(moves_in(before)) == 12
    gone = moves_in(before)[0]["job"]
    assert client.delete(f"/v1/jobs/{gone}").status_code == 204
    retried(client, batch)
    for _ in range(2):
        ends(database)
    after = all_of(client, path_of(batch), before[0].id)
    assert sorted(move["sequence"] for move in moves_in(after)) == [1, 1, 2, 2, 3, 3]
    assert {move["job"] for move in moves_in(after)}.isdisjoint(move["job"] for move in moves_in(before))


def test_a_position_without_moves_or_of_another_kind_of_stream(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    batch = batch_of(database, 1)
    ends(database)
    without = all_of(client, path_of(batch) + "?moves=false")
    assert [each.name for each in without] == ["counts", "batch_ended"]
    assert len(moves_in(all_of(client, path_of(batch), without[0].id))) == 3
    submitted(database, settings)
    for wrong in ("1-0-0-0-0.A", "1-0-0-0-0.AA!", "1.2.3", ".____________________"):
        refused = client.get(path_of(batch), headers=STREAM | {"Last-Event-ID": wrong})
        assert refused.status_code == 400, wrong


def test_moves_beyond_what_a_position_can_say_wait_until_it_can(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second job fails at once: each of them would be a part of its own in the position."""
    monkeypatch.setattr("service.live.told_members.MOST_LETTERS", 40)
    batch = batch_of(database, 40)
    with stream(client, path_of(batch)) as told:
        whole = [next_of(told, "moves")]
        claims = [claimed(database, worker_of(database, f"cpu-{each}")) for each in range(40)]
        for claim in claims[1::2]:
            fails(database, claim)
        whole += [next_of(told, "moves")]
        assert len(numbered(whole)) < 40 + 40 + 20
        assert len(whole[-1].id) <= 60
        for claim in claims[::2]:
            succeeds(database, claim)
        whole += list(told)
    assert len(numbered(whole)) == len(set(numbered(whole))) == 3 * 40
    with database.begin() as connection:
        while lifecycle.delete_batch_slice(connection, 1, batch).more:
            pass


def test_the_best_so_far_comes_with_the_counts(client: FlaskClient, database: Database) -> None:
    batch = batch_of(database, 2)
    with stream(client, path_of(batch)) as told:
        assert next_of(told, "counts").data["best"] is None
        ends(database)
        best = until_one_succeeded(told).data["best"]
        assert (best["metric"], best["mode"], best["value"]) == ("loss_last", "min", 1.0)
        claim = claimed(database, worker_of(database))
        succeeds(database, claim, [4.0, 3.0, 2.0, 1.0, 0.5])
        job = str(claim.members[0].held.job_id)
        told_last = [each for each in told if each.name == "counts"][-1]
    assert (told_last.data["best"]["job"], told_last.data["best"]["value"]) == (job, 0.5)
