"""All jobs of a question are cancelled, retried, deleted or tagged, and the answer says what was done to how many."""

import threading
import time
from collections import Counter
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr
from sqlalchemy import func, select, update

from gradyard.jobs.identifiers import new_id
from gradyard.jobs.questions import terms
from gradyard.jobs.settings import Settings
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle, silent
from gradyard.store.database import Database
from gradyard.store.lifecycle import Claim
from gradyard.store.lifecycle.actions import asked
from gradyard.store.lifecycle.actions.cancel import live_asked
from gradyard.store.lifecycle.actions.retry import retry_jobs
from gradyard.store.queries.questions import pages
from gradyard.store.queries.questions.conditions import condition
from gradyard.store.tables import AuditEntry, Batch, IdempotencyKey, Job, JobEvent, JobSummary, JobTag
from service.actions import cancel, slices
from tests.actors import claimed, fails, submitted, succeeds, worker_of
from tests.service.conftest import AppWith
from tests.service.test_cancelling_batches import a_locked_job, on_postgresql

JOB = {"stage": "tensor", "steps": 4}


def act(client: FlaskClient, action: str, where: str, headers: Any = None, **more: Any) -> Any:
    answer = client.post("/v1/jobs/actions", json={"action": action, "where": where} | more, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def told(action: str, count: int, done: int, **skipped: int) -> dict[str, Any]:
    return {"action": action, "count": count, "done": done, "skipped": skipped}


def states(database: Database) -> Counter[str]:
    with database.read() as connection:
        return Counter(connection.execute(select(Job.state)).scalars())


def tags(database: Database) -> list[dict[str, str]]:
    """The tags of all jobs, which `job_tags` must have too."""
    with database.read() as connection:
        rows = list(connection.execute(select(Job.id, Job.tags).order_by(Job.id)))
        found = [(row.job_id, row.key, row.value) for row in connection.execute(select(JobTag.__table__))]
    assert sorted(found) == sorted((row.id, key, value) for row in rows for key, value in row.tags.items())
    return [row.tags for row in rows]


@pytest.fixture
def held(database: Database, settings: Settings) -> Claim:
    """Of six jobs, seeds 0 to 5, one has succeeded, one failed, one runs and three wait."""
    for seed in range(6):
        submitted(database, settings, seed=seed, stage=["nn", "optim", "tensor"][min(seed, 2)])
        if seed == 0:
            succeeds(database, claimed(database, worker_of(database)))
        elif seed == 1:
            fails(database, claimed(database, worker_of(database)))
        elif seed == 2:
            held = claimed(database, worker_of(database))
    assert states(database) == {"succeeded": 1, "failed": 1, "running": 1, "queued": 3}
    return held


def test_a_cancel_ends_what_waits_and_runs_within_a_second(
    client: FlaskClient, database: Database, held: Claim
) -> None:
    begin = time.monotonic()
    assert act(client, "cancel", "seed < 5") == told("cancel", 5, 3, finished=2)
    assert time.monotonic() - begin < 60, "no worker saw the mark"
    assert states(database) == {"succeeded": 1, "failed": 1, "cancelled": 3, "queued": 1}
    with database.read() as connection:
        events = connection.execute(select(JobEvent.detail).where(JobEvent.to_state == "cancelled")).scalars()
        assert sorted(map(str, events)) == ["with all of a question, while queued"] * 2 + ["worker silent"]
        assert connection.execute(select(func.count()).where(JobSummary.state == "cancelled")).scalar_one() == 3
    assert act(client, "cancel", "seed < 5") == told("cancel", 5, 0, finished=5)


@on_postgresql
def test_a_cancel_with_a_job_that_stays_locked_is_answered_503_and_the_others_are_cancelled(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        submitted(database, settings, seed=number)
    monkeypatch.setattr(silent, "SILENT_TRANSACTION_SECONDS", 0.5)
    body = {"action": "cancel", "where": "seed < 6"}
    with a_locked_job(database, 20.0):
        answer = client.post("/v1/jobs/actions", json=body)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert states(database) == {"queued": 1, "cancelled": 5}
    assert act(client, "cancel", "seed < 6") == told("cancel", 6, 1, finished=5)
    with database.read() as connection:
        details = connection.execute(select(AuditEntry.detail).order_by(AuditEntry.id)).scalars().all()
    assert details == ["5 of 6 jobs; seed < 6", "1 of 6 jobs; seed < 6"]


def test_a_worker_that_sees_the_mark_cancels_the_job_itself(
    client: FlaskClient, database: Database, held: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancel, "CANCEL_SECONDS", 60.0)

    def follow() -> None:
        (member,) = held.members
        while True:
            with database.begin() as connection:
                if connection.execute(select(Job.cancel_requested_at).where(Job.id == member.id)).scalar():
                    lifecycle.cancel_by_worker(connection, member.held, actor="worker")
                    return
            time.sleep(0.02)

    follower = threading.Thread(target=follow)
    follower.start()
    assert act(client, "cancel", 'state == "running"') == told("cancel", 1, 1)
    follower.join()
    with database.read() as connection:
        detail = select(JobEvent.detail).where(JobEvent.to_state == "cancelled")
        assert connection.execute(detail).scalars().all() == ["while running"]


def test_a_question_about_what_waits_leaves_what_runs(client: FlaskClient, database: Database, held: Claim) -> None:
    assert act(client, "cancel", 'state == "queued"') == told("cancel", 3, 3)
    assert states(database)["running"] == 1


def test_a_deletion_leaves_what_is_live_or_pinned(client: FlaskClient, database: Database, held: Claim) -> None:
    client.post("/v1/jobs/actions", json={"action": "cancel", "where": "seed == 5"})
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.state == "failed").values(pinned=True))
    assert act(client, "delete", "seed >= 0") == told("delete", 6, 2, unfinished=3, pinned=1)
    assert states(database) == {"failed": 1, "running": 1, "queued": 2}
    assert act(client, "delete", "seed >= 0") == told("delete", 4, 0, unfinished=3, pinned=1)


def test_a_deletion_takes_an_emptied_batch_with_it(client: FlaskClient, database: Database) -> None:
    batches = [client.post("/v1/batches", json={"jobs": [JOB] * 3}).json["id"] for _ in range(2)]  # type: ignore[index]
    act(client, "cancel", f'batch == "{batches[0]}"')
    assert act(client, "delete", 'stage == "tensor"') == told("delete", 6, 3, unfinished=3)
    with database.read() as connection:
        assert [str(each) for each in connection.execute(select(Batch.id)).scalars()] == [batches[1]]
    assert client.get(f"/v1/batches/{batches[0]}").status_code == 410


def test_tags_are_set_and_taken_away(client: FlaskClient, database: Database, settings: Settings) -> None:
    for number in range(3):
        submitted(database, settings, seed=number, tags={"n": str(number), "old": "1"})
    full = {str(number): "x" for number in range(32)}
    submitted(database, settings, seed=2, tags=full)
    done = act(client, "tag", "seed > 0", tags={"n": "9", "old": None, "new": "2"})
    assert done == told("tag", 3, 2, too_many_tags=1)
    assert tags(database) == [{"n": "0", "old": "1"}, {"n": "9", "new": "2"}, {"n": "9", "new": "2"}, full]
    assert act(client, "tag", "seed > 0", tags={"n": "9", "old": None, "new": "2"}) == done


def test_a_tag_that_takes_a_job_out_of_the_question_is_set_on_all(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE", 2)
    for number in range(5):
        submitted(database, settings, seed=number)
    assert act(client, "tag", "tags.seen is None", tags={"seen": "yes"})["done"] == 5
    assert tags(database) == [{"seen": "yes"}] * 5


def test_a_retry_submits_what_has_ended_as_single_jobs(client: FlaskClient, database: Database, held: Claim) -> None:
    assert act(client, "retry", "seed <= 2") == told("retry", 3, 2, unfinished=1)
    with database.read() as connection:
        old = list(connection.execute(select(Job.id).where(Job.state.in_(("succeeded", "failed"))).order_by(Job.id)))
        retries = select(Job.retry_of, Job.state, Job.batch_id, Job.rank).where(Job.retry_of.is_not(None))
        new = list(connection.execute(retries.order_by(Job.id)))
    assert [row.retry_of for row in new] == [row.id for row in old]
    assert {(row.state, row.batch_id) for row in new} == {("queued", None)}
    assert new[0].rank < new[1].rank, "one behind the other, as if they had been sent one by one"


def test_a_retry_of_a_question_changes_values_of_every_job_or_of_none(
    client: FlaskClient, database: Database, held: Claim
) -> None:
    asked = {"action": "retry", "where": "seed < 2"}
    done: Any = client.post("/v1/jobs/actions", json=asked | {"set": {"learning_rate": 1e-7}})
    assert done.json == told("retry", 2, 2)
    with database.read() as connection:
        retries = select(Job.spec).where(Job.retry_of.is_not(None)).order_by(Job.id)
        new = connection.execute(retries).scalars().all()
    assert [(spec["learning_rate"], spec["seed"]) for spec in new] == [(1e-7, 0), (1e-7, 1)]
    refused: Any = client.post("/v1/jobs/actions", json=asked | {"set": {"learning_rates": 1e-7}})
    assert (refused.status_code, refused.json["type"]) == (422, "spec_invalid")
    assert states(database)["queued"] == 5, "the two of the first, and three from before"


def test_values_to_set_are_for_retries_alone(client: FlaskClient, held: Claim) -> None:
    asked = {"action": "cancel", "where": "seed < 2", "set": {"learning_rate": 1e-7}}
    refused: Any = client.post("/v1/jobs/actions", json=asked)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/set")


def test_a_retry_that_is_sent_again_is_done_once(client: FlaskClient, database: Database, held: Claim) -> None:
    key, body = {"Idempotency-Key": "k1"}, {"action": "retry", "where": "seed < 2", "expected_count": 2}
    first, second = (client.post("/v1/jobs/actions", json=body, headers=key) for _ in range(2))
    assert (first.json, second.json) == (told("retry", 2, 2), told("retry", 2, 2))
    assert [each.headers.get("Idempotent-Replayed") for each in (first, second)] == [None, "true"]
    assert states(database)["queued"] == 5
    other: Any = client.post("/v1/jobs/actions", json=body | {"where": "seed < 1"}, headers=key)
    assert (other.status_code, other.json["type"]) == (422, "idempotency_key_reused")


def test_a_retry_is_of_all_or_none(app_with: AppWith, database: Database, held: Claim) -> None:
    few = app_with(max_queued_jobs=4).test_client()
    refused: Any = few.post("/v1/jobs/actions", json={"action": "retry", "where": "seed < 2"})
    assert (refused.status_code, refused.json["type"]) == (429, "queue_full")
    small = app_with(max_batch_jobs=1).test_client()
    refused = small.post("/v1/jobs/actions", json={"action": "retry", "where": "seed < 2"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/where")
    assert states(database)["queued"] == 3


@pytest.mark.parametrize("action", ["cancel", "retry", "delete", "tag"])
def test_nothing_is_done_where_there_are_not_as_many_as_expected(
    client: FlaskClient, database: Database, held: Claim, action: str
) -> None:
    body: dict[str, Any] = {"action": action, "where": "seed < 4", "expected_count": 3}
    body |= {"tags": {"a": "b"}} if action == "tag" else {}
    before = states(database)
    answer: Any = client.post("/v1/jobs/actions", json=body)
    assert (answer.status_code, answer.json["type"]) == (409, "count_changed")
    assert answer.json["detail"].startswith("4 jobs satisfy the question, not 3")
    assert states(database) == before
    assert tags(database) == [{}] * 6
    assert client.post("/v1/jobs/actions", json=body | {"expected_count": 4}).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "cancel", "where": "los < 3"}, "/where"), ({"action": "stop", "where": "seed < 3"}, "/action"),
        ({"action": "tag", "where": "seed < 3"}, "/tags"), ({"action": "delete", "where": ""}, "/where"),
        ({"action": "delete", "where": "seed < 3", "tags": {"a": "b"}}, "/tags"), ({"where": "seed < 3"}, "/action"),
        ({"action": "delete"}, "/where"),
        ({"action": "delete", "where": "seed < 3", "expected_count": -1}, "/expected_count"),
    ],
)  # fmt: skip
def test_a_wrong_action_is_refused_with_its_place(client: FlaskClient, body: dict[str, Any], pointer: str) -> None:
    answer: Any = client.post("/v1/jobs/actions", json=body)
    assert (answer.status_code, answer.json["type"]) == (422, "body_invalid")
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]


def test_the_audit_has_one_entry_for_an_action_of_many_slices(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE", 2)
    for number in range(5):
        submitted(database, settings, seed=number)
    act(client, "tag", "seed >= 0", tags={"a": "b"})
    act(client, "cancel", "seed < 2")
    act(client, "cancel", "seed < 2")
    act(client, "retry", "seed < 2")
    act(client, "delete", 'state == "cancelled"')
    with database.read() as connection:
        found = list(connection.execute(select(AuditEntry.action, AuditEntry.target, AuditEntry.detail)
                                        .order_by(AuditEntry.id)))  # fmt: skip
    assert [tuple(each) for each in found] == [
        ("jobs_tagged", "seed >= 0", "5 of 5 jobs; seed >= 0"),
        ("jobs_cancelled", "seed < 2", "2 of 2 jobs; seed < 2"),
        ("jobs_retried", "seed < 2", "2 of 2 jobs; seed < 2"),
        ("jobs_deleted", 'state == "cancelled"', '2 of 2 jobs; state == "cancelled"'),
    ]


def test_what_is_cut_off_goes_on_when_it_is_sent_again(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE", 2)
    for number in range(6):
        submitted(database, settings, seed=number)
    looks = iter([False, False, False])
    leaves = {"waitress.client_disconnected": lambda: next(looks, True)}
    body = {"action": "tag", "where": "tags.a is None", "tags": {"a": "b"}}
    client.post("/v1/jobs/actions", json=body, environ_overrides=leaves)
    assert 0 < sum(bool(each) for each in tags(database)) < 6
    client.post("/v1/jobs/actions", json=body)
    assert tags(database) == [{"a": "b"}] * 6


ADMIN = {"Authorization": "Bearer s3cret-canary-key"}


def test_a_member_acts_on_its_own_jobs_alone_and_an_administrator_on_all(app_with: AppWith, database: Database) -> None:
    client = app_with(admin_key=SecretStr("s3cret-canary-key")).test_client()
    keys = {}
    for name, project, scopes in (("ada", "physics", ["jobs:read", "jobs:write"]),
                                  ("bob", "physics", ["jobs:read", "jobs:write"]),
                                  ("eve", "default", ["jobs:read", "jobs:write"]),
                                  ("teacher", "physics", ["admin"])):  # fmt: skip
        made: Any = client.post("/v1/keys", headers=ADMIN, json={"name": name, "project": project, "scopes": scopes})
        keys[name] = {"Authorization": f"Bearer {made.json['key']}"}
    for name in ("ada", "bob"):
        for _ in range(2):
            client.post("/v1/jobs", json=JOB, headers=keys[name])
    where = 'stage == "tensor"'
    assert act(client, "cancel", where, keys["eve"]) == told("cancel", 0, 0)
    assert act(client, "tag", where, keys["bob"], tags={"a": "b"}) == told("tag", 4, 2, of_others=2)
    assert act(client, "cancel", where, keys["bob"]) == told("cancel", 4, 2, of_others=2)
    assert act(client, "delete", where, keys["ada"]) == told("delete", 4, 0, unfinished=2, of_others=2)
    assert act(client, "cancel", where, keys["teacher"]) == told("cancel", 4, 2, finished=2)
    assert act(client, "delete", where, keys["teacher"]) == told("delete", 4, 4)
    job: Any = client.post("/v1/jobs", json=JOB, headers=keys["ada"]).json
    assert client.patch(f"/v1/jobs/{job['id']}", json={"pinned": True}, headers=keys["bob"]).status_code == 403
    assert client.patch(f"/v1/jobs/{job['id']}", json={"pinned": True}, headers=keys["eve"]).status_code == 404
    assert client.patch(f"/v1/jobs/{job['id']}", json={"pinned": True}, headers=keys["ada"]).status_code == 200


def test_a_job_that_changes_meanwhile_is_looked_at_again(
    app: OpenAPI, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        submitted(database, settings, seed=number)
    look = pages.ids_asked

    def and_one_changes(*args: Any, **how: Any) -> Any:
        found = look(*args, **how)
        with database.begin() as connection:
            connection.execute(update(JobSummary).where(JobSummary.job_id == found.ids[0]).values(seed=99))
        return found

    monkeypatch.setattr(slices, "ids_asked", and_one_changes)
    assert act(app.test_client(), "tag", "seed < 3", tags={"a": "b"}) == told("tag", 3, 2, changed=1)


def test_a_retry_that_is_sent_again_is_done_once_though_its_first_job_is_gone(
    client: FlaskClient, database: Database, held: Claim
) -> None:
    key, body = {"Idempotency-Key": "k1"}, {"action": "retry", "where": "seed < 2"}
    client.post("/v1/jobs/actions", json=body, headers=key)
    with database.read() as connection:
        new = select(Job.id).where(Job.retry_of.is_not(None)).order_by(Job.id).limit(1)
        first = connection.execute(new).scalar_one()
    client.post(f"/v1/jobs/{first}/cancel")
    assert client.delete(f"/v1/jobs/{first}").status_code == 204
    with database.begin() as connection:  # of two requests at once, the second gets this far
        done = retry_jobs(connection, parsed_of(connection), project_id=1, actor="test", max_queued=99, key="k1",
                          asked=connection.execute(select(IdempotencyKey.body_sha256)).scalar_one())  # fmt: skip
    assert (done.jobs, done.replayed) == (2, True)
    again = client.post("/v1/jobs/actions", json=body, headers=key)
    assert (again.json, again.headers.get("Idempotent-Replayed")) == (told("retry", 2, 2), "true")
    assert states(database)["queued"] == 4


def parsed_of(connection: Any) -> dict[Any, Any]:
    ended = select(Job.id, Job.spec).where(Job.state.in_(("succeeded", "failed")))
    return {row.id: parse_job(orjson.dumps(row.spec), Settings()) for row in connection.execute(ended)}


def test_a_cancel_of_what_waits_says_of_what_began_meanwhile_that_it_changed(
    client: FlaskClient, database: Database, held: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, begun = live_asked, list[int]()

    def and_then_one_begins(*args: Any) -> Any:
        found = looked(*args)
        if not begun:
            begun.append(len(claimed(database, worker_of(database, "cpu-9")).members))
        return found

    monkeypatch.setattr(cancel, "live_asked", and_then_one_begins)
    answer = act(client, "cancel", 'state == "queued"')
    assert answer == told("cancel", 3, 3 - begun[0], changed=begun[0])
    assert act(client, "cancel", "seed < 2") == told("cancel", 2, 0, finished=2)


def test_ids_that_curves_gave_are_asked_of_a_slice_alone(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, more = submitted(database, settings), frozenset(new_id() for _ in range(3))
    bound = list[terms.Term]()

    def build(term: terms.Term) -> Any:
        bound.append(term)
        return condition(term)

    monkeypatch.setattr(asked, "condition", build)
    found, others = terms.Among(more | {mine}), terms.Not(terms.Among(more))
    question = terms.All((terms.Any((found,)), others))
    with database.begin() as connection:
        jobs = asked.AskedJobs(1, question, new_id(), "test")
        assert asked.still_asked(connection, jobs, [mine]) == ([mine], Counter())
    only = terms.Among(frozenset({mine}))
    assert bound == [terms.All((terms.Any((only,)), terms.Not(terms.Among(frozenset()))))]
