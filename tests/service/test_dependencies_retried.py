"""Jobs that depend on others are retried, cancelled and deleted; each answer says what is so."""

from typing import Any
from uuid import UUID

from sqlalchemy import text, update

from gradyard.jobs.states import State
from gradyard.jobs.submission.retries import parse_again
from gradyard.store.database import Database
from gradyard.store.tables import Job
from gradyard.store.upkeep.waits import end_forgotten_waits, end_waits
from tests.service.test_dependencies import JOB, NONE, problems, submit, submit_batch
from tests.store.dependencies.pipelines import LONG, ends


def retry_all(client: Any, where: str, **more: Any) -> Any:
    return client.post("/v1/jobs/actions", json={"where": where, "action": "retry"} | more)


def test_the_retry_of_a_question_may_name_what_its_jobs_wait_for(client: Any, database: Database) -> None:
    first, other, third = (submit(client).json["id"] for _ in range(3))
    jobs = [submit(client, first, name="late").json["id"] for _ in range(2)]
    ends(database, UUID(first), state=State.FAILED)
    end_waits(database, LONG, actor="maintenance")
    refused = retry_all(client, 'name == "late"', set={"depends_on": [NONE]})
    assert problems(refused) == [("/set/depends_on/0", f"there is no job or batch {NONE}")]
    assert retry_all(client, 'name == "late"', set={"depends_on": [other, third]}).status_code in (200, 202)
    retries = {each["retry_of"]: each for each in client.get("/v1/jobs").json["jobs"] if each["retry_of"]}
    assert sorted(retries) == sorted(jobs)
    for each in retries.values():
        assert [one["id"] for one in each["depends_on"]] == [other, third]


def test_a_cancelled_job_waits_for_nothing(client: Any, database: Database) -> None:
    first, other = submit(client).json["id"], submit(client).json["id"]
    batch = submit_batch(client, spec=JOB, grid={"seed": [1]}).json["id"]
    (member,) = [each["id"] for each in client.get(f"/v1/jobs?batch={batch}").json["jobs"]]
    asked = [{"id": each, "condition": "ended"} for each in (first, batch)]
    job = submit(client, other, *asked).json["id"]
    for each in (first, member):
        client.post(f"/v1/jobs/{each}/cancel")
    end_waits(database, LONG, actor="maintenance")
    assert client.delete(f"/v1/jobs/{first}").status_code == 409
    assert client.delete(f"/v1/batches/{batch}").status_code == 409
    client.post(f"/v1/jobs/{job}/cancel")
    assert client.delete(f"/v1/jobs/{first}").status_code == 204
    assert client.delete(f"/v1/batches/{batch}").status_code == 200


def test_a_job_of_which_nothing_is_known_any_more_fails_and_says_so(client: Any, database: Database) -> None:
    first = submit(client).json["id"]
    job = submit(client, first).json["id"]
    with database.begin() as connection:  # a way back to an older version takes its column away
        connection.execute(update(Job).values(wait_id=None))
        connection.execute(text("DELETE FROM waits"))
    waiting = client.get(f"/v1/jobs/{job}").json["waiting"]
    assert waiting["reason"] == "what it depended on is no longer known; it fails within a minute"
    end_forgotten_waits(database)
    shown = client.get(f"/v1/jobs/{job}").json
    assert (shown["state"], shown["reason"]) == ("failed", "upstream_failed")
    assert shown["message"].endswith("submit it anew")


def test_a_retry_asks_no_more_for_what_succeeded_before_it_was_deleted(client: Any, database: Database) -> None:
    first, second, unknown = (submit(client).json["id"] for _ in range(3))
    job = submit(client, first, second).json["id"]
    other = submit(client, first, unknown).json["id"]
    ends(database, UUID(second))
    end_waits(database, LONG, actor="maintenance")
    ends(database, UUID(first), state=State.FAILED)
    end_waits(database, LONG, actor="maintenance")
    ends(database, UUID(unknown))
    end_waits(database, LONG, actor="maintenance")
    for each in (second, unknown):
        assert client.delete(f"/v1/jobs/{each}").status_code == 204
    again = client.post(f"/v1/jobs/{first}/retry").json["id"]
    assert [each["id"] for each in client.post(f"/v1/jobs/{job}/retry").json["depends_on"]] == [again]
    refused = client.post(f"/v1/jobs/{other}/retry")
    assert (refused.status_code, f"{unknown}, which was deleted" in refused.json["detail"]) == (409, True)


def test_a_question_that_loses_a_job_while_it_is_retried_says_which(
    client: Any, database: Database, monkeypatch: Any
) -> None:
    first = submit(client).json["id"]
    submit(client, first)
    ends(database, UUID(first), state=State.FAILED)
    end_waits(database, LONG, actor="maintenance")

    def delete_first(*arguments: Any) -> Any:
        """A deletion that comes between the look at the question and its transaction."""
        assert client.delete(f"/v1/jobs/{first}").status_code == 204
        return parse_again(*arguments)

    monkeypatch.setattr("service.actions.retry.parse_again", delete_first)
    refused = retry_all(client, 'state == "failed"')
    assert (refused.status_code, f"{first}, which was deleted" in refused.json["detail"]) == (409, True)
