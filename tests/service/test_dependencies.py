"""Requests name jobs and batches that must end before; answers say which those are, and why a job waits."""

from typing import Any
from uuid import UUID

import pytest

from gradyard.jobs.states import State
from gradyard.store.database import Database
from gradyard.store.upkeep.waits import end_waits
from tests.store.dependencies.pipelines import LONG, ends

JOB = {"stage": "tensor", "steps": 4}


def submit(client: Any, *depends_on: Any, key: str = "", **spec: Any) -> Any:
    body = JOB | spec | ({"depends_on": list(depends_on)} if depends_on else {})
    return client.post("/v1/jobs", json=body, headers={"Idempotency-Key": key} if key else {})


def submit_batch(client: Any, **body: Any) -> Any:
    return client.post("/v1/batches", json=body)


def problems(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json
    return [(each["pointer"], each["message"]) for each in response.json["errors"]]


def test_a_job_says_what_it_depends_on_and_what_it_waits_for(client: Any) -> None:
    first = submit(client).json["id"]
    batch = submit_batch(client, spec=JOB, grid={"seed": [1, 2, 3]}).json["id"]
    answer = submit(client, first, {"id": batch, "condition": "ended"})
    assert answer.status_code == 202
    expected = [
        {"id": first, "kind": "job", "condition": "succeeded", "state": "queued"},
        {"id": batch, "kind": "batch", "condition": "ended", "state": "queued"},
    ]
    reason = f"waits for job {first} (queued) and 3 of 3 jobs of batch {batch}"
    shown = client.get(f"/v1/jobs/{answer.json['id']}").json
    listed = client.get("/v1/jobs?limit=1").json["jobs"][0]
    for job in (answer.json, shown, listed):
        assert job["depends_on"] == expected
        assert job["waiting"] == {"position": None, "reason": reason, "estimated_start_at": None}
        assert (job["state"], "depends_on" in job["spec"]) == ("queued", False)
    assert client.get(f"/v1/jobs/{first}").json["depends_on"] == []


def test_jobs_that_wait_for_others_are_counted_in_a_queue_of_their_own(client: Any) -> None:
    first = submit(client).json["id"]
    submit(client, first)
    depths = {queue["name"]: queue["depth"] for queue in client.get("/v1/queues").json["queues"]}
    assert depths == {"cpu": 1, "gpu": 0, "any": 0, "blocked": 1}
    behind = submit(client).json["id"]
    assert client.get(f"/v1/jobs/{behind}").json["waiting"]["position"] == 2


def test_a_job_of_which_an_earlier_one_failed_says_which(client: Any, database: Database) -> None:
    batch = submit_batch(client, spec=JOB, grid={"seed": [1, 2]}).json["id"]
    job = submit(client, batch).json["id"]
    members = [each["id"] for each in client.get(f"/v1/jobs?batch={batch}").json["jobs"]]
    for member in members:
        client.post(f"/v1/jobs/{member}/cancel")
    assert client.get(f"/v1/jobs/{job}").json["waiting"]["reason"].startswith("what it depends on did not succeed")
    end_waits(database, LONG, actor="maintenance")
    shown = client.get(f"/v1/jobs/{job}?wait=10").json
    assert (shown["state"], shown["reason"]) == ("failed", "upstream_failed")
    assert f"batch {batch} ended with 2 cancelled of its 2 jobs" in shown["message"]
    assert shown["depends_on"][0]["state"] == "finished"


def test_ids_may_be_shortened(client: Any) -> None:
    first = submit(client).json["id"]
    shown = submit(client, first[:23]).json
    assert shown["depends_on"][0]["id"] == first
    second = submit(client).json["id"]
    ((where, said),) = problems(submit(client, first[:8]))
    assert (where, first in said, second in said) == ("/depends_on/0", True, True)


NONE = str(UUID(int=77))


@pytest.mark.parametrize(
    ("depends_on", "pointer", "words"),
    [
        ([NONE], "/depends_on/0", f"there is no job or batch {NONE}"),
        (["01234567"], "/depends_on/0", "there is no job or batch 01234567"),
        (["the first one"], "/depends_on/0", "jobs of one request cannot name each other"),
        ([3], "/depends_on/0", "must be an id, or an object"),
        ([{"id": NONE, "condition": "started"}], "/depends_on/0/condition", 'must be "succeeded" or "ended"'),
        ([NONE] * 17, "/depends_on", "at most 16"),
        ([NONE, {"id": NONE, "condition": "ended"}], "/depends_on", f"names {NONE} twice; leave one of them out"),
    ],
)
def test_what_is_not_there_is_refused_where_it_is_named(
    client: Any, depends_on: list[Any], pointer: str, words: str
) -> None:
    ((where, said),) = problems(submit(client, *depends_on))
    assert where == pointer
    assert words in said


def test_a_dependency_that_failed_already_is_refused(client: Any) -> None:
    first = submit(client).json["id"]
    client.post(f"/v1/jobs/{first}/cancel")
    ((where, said),) = problems(submit(client, first))
    assert (where, f"the job {first} was cancelled, so this job could never start" in said) == ("/depends_on/0", True)
    assert submit(client, {"id": first, "condition": "ended"}).status_code == 202


def test_a_refusal_of_a_batch_points_to_where_it_names_the_job(client: Any) -> None:
    in_list = submit_batch(client, jobs=[JOB, JOB | {"depends_on": [NONE]}])
    assert (in_list.json["errors"][0]["index"], in_list.json["errors"][0]["pointer"]) == (1, "/depends_on/0")
    assert problems(submit_batch(client, jobs=[JOB], depends_on=[NONE]))[0][0] == "/depends_on/0"
    sweep = submit_batch(client, spec=JOB | {"depends_on": [NONE]}, grid={"seed": [1, 2]})
    assert [pointer for pointer, _ in problems(sweep)] == ["/spec/depends_on/0"]
    whole = submit_batch(client, spec=JOB, grid={"seed": [1, 2]}, depends_on=[NONE])
    assert [pointer for pointer, _ in problems(whole)] == ["/depends_on/0"]


def test_a_replay_answers_whatever_became_of_the_dependency(client: Any, database: Database) -> None:
    first = submit(client).json["id"]
    sent = submit(client, first, key="once").json["id"]
    client.post(f"/v1/jobs/{first}/cancel")
    end_waits(database, LONG, actor="maintenance")
    assert client.delete(f"/v1/jobs/{first}").status_code == 204
    again = submit(client, first, key="once")
    assert (again.status_code, again.json["id"], again.json["state"]) == (202, sent, "failed")
    assert again.json["depends_on"][0]["state"] == "deleted"


def test_what_others_wait_for_is_not_deleted(client: Any, database: Database) -> None:
    first, other = submit(client).json["id"], submit(client).json["id"]
    job = submit(client, {"id": first, "condition": "ended"}, other).json["id"]
    client.post(f"/v1/jobs/{first}/cancel")
    end_waits(database, LONG, actor="maintenance")
    refused = client.delete(f"/v1/jobs/{first}")
    assert refused.status_code == 409
    assert f"the job {job} waits for the end of this job" in refused.json["detail"]
    client.post(f"/v1/jobs/{job}/cancel")
    client.post(f"/v1/jobs/{other}/cancel")
    end_waits(database, LONG, actor="maintenance")
    assert client.delete(f"/v1/jobs/{first}").status_code == 204


def test_a_retry_waits_for_the_newest_try_of_what_the_job_waited_for(client: Any, database: Database) -> None:
    first = submit(client).json["id"]
    job = submit(client, first).json["id"]
    client.post(f"/v1/jobs/{first}/cancel")
    end_waits(database, LONG, actor="maintenance")
    refused = client.post(f"/v1/jobs/{job}/retry")
    assert (refused.status_code, "retry that first" in refused.json["detail"]) == (409, True)
    again = client.post(f"/v1/jobs/{first}/retry").json["id"]
    retried = client.post(f"/v1/jobs/{job}/retry").json
    assert [each["id"] for each in retried["depends_on"]] == [again]
    assert retried["waiting"]["reason"] == f"waits for job {again} (queued)"
    alone = client.post(f"/v1/jobs/{job}/retry", json={"set": {"depends_on": []}}).json
    assert alone["depends_on"] == []


def test_a_question_retries_a_pipeline_as_one(client: Any, database: Database) -> None:
    first = submit(client).json["id"]
    job = submit(client, first).json["id"]
    client.post(f"/v1/jobs/{first}/cancel")
    end_waits(database, LONG, actor="maintenance")
    asked = {"where": 'state in ("failed", "cancelled")', "action": "retry"}
    assert client.post("/v1/jobs/actions", json=asked).status_code in (200, 202)
    jobs = {each["retry_of"]: each for each in client.get("/v1/jobs").json["jobs"]}
    assert [each["id"] for each in jobs[job]["depends_on"]] == [jobs[first]["id"]]


def test_no_retry_leads_in_a_circle(client: Any, database: Database) -> None:
    first = submit(client).json["id"]
    batch = submit_batch(client, jobs=[JOB | {"depends_on": [first]}, JOB]).json["id"]
    client.post(f"/v1/jobs/{first}/cancel")
    end_waits(database, LONG, actor="maintenance")
    # The newest try of what the batch waited for waits for the batch itself.
    again = client.post(f"/v1/jobs/{first}/retry", json={"set": {"depends_on": [batch]}})
    assert again.json["waiting"]["reason"] == f"waits for 1 of 2 jobs of batch {batch}"
    refused = client.post(f"/v1/batches/{batch}/retry")
    assert (refused.status_code, "a retry that waits for others itself" in refused.json["detail"]) == (409, True)
    named = client.post(f"/v1/batches/{batch}/retry", json={"set": {"depends_on": [first]}})
    assert problems(named)[0][0] == "/set/depends_on"


def test_a_project_cannot_wait_for_the_jobs_of_another(client: Any, database: Database) -> None:
    first = submit(client).json["id"]
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO projects (id, name) VALUES (2, 'other')")
        connection.exec_driver_sql("UPDATE jobs SET project_id = 2")
    assert problems(submit(client, first)) == [("/depends_on/0", f"there is no job or batch {first}")]


def test_a_dependency_that_succeeded_is_waited_for_no_more(client: Any, database: Database) -> None:
    first = submit(client).json["id"]
    job = submit(client, first).json
    ends(database, UUID(first), state=State.SUCCEEDED)
    end_waits(database, LONG, actor="maintenance")
    shown = client.get(f"/v1/jobs/{job['id']}").json
    assert (shown["waiting"]["position"], shown["depends_on"][0]["state"]) == (1, "succeeded")
    kinds = [each["kind"] for each in client.get(f"/v1/jobs/{job['id']}/events").json["events"]]
    assert kinds == ["submitted", "released"]
