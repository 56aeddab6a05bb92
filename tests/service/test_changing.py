"""A job gets another name, other tags, a pin or a priority."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.tables import AuditEntry, JobSummary, JobTag
from tests.actors import claimed, submitted, succeeds, worker_of


def changed(client: FlaskClient, job: object, **patch: Any) -> Any:
    answer = client.patch(f"/v1/jobs/{job}", json=patch)
    assert answer.status_code == 200, answer.text
    return answer.json


def found_by(database: Database) -> tuple[list[str | None], dict[str, str]]:
    """The names in `summaries`, and the tags in `job_tags`."""
    with database.read() as connection:
        names = list(connection.execute(select(JobSummary.name)).scalars())
        return names, {row.key: row.value for row in connection.execute(select(JobTag.key, JobTag.value))}


def test_a_new_name_and_new_tags_are_shown_and_found(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, name="old", tags={"keep": "1", "change": "1", "drop": "1"})
    shown = changed(client, job, name="new", tags={"change": "2", "drop": None, "add": "3", "absent": None})
    tags = {"keep": "1", "change": "2", "add": "3"}
    assert (shown["name"], shown["tags"]) == ("new", tags)
    assert found_by(database) == (["new"], tags)
    listed: Any = client.get("/v1/jobs", query_string={"where": 'name == "new" and tags.add == "3"'}).json
    assert [each["id"] for each in listed["jobs"]] == [str(job)]
    assert shown["spec"]["name"] == "old", "the spec is what was submitted"
    assert shown["spec"]["tags"]["drop"] == "1"


def test_null_takes_a_value_away_and_what_is_not_named_stays(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, name="old", tags={"a": "1"}, priority=5)
    assert changed(client, job, pinned=True)["name"] == "old"
    shown = changed(client, job, name=None, tags=None, pinned=None, priority=None)
    assert (shown["name"], shown["tags"], shown["pinned"], shown["priority"]) == (None, {}, False, 0)
    assert found_by(database) == ([None], {})


def test_a_merge_patch_may_say_what_it_is(client: FlaskClient, database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    for kind, status in (("application/merge-patch+json", 200), ("application/json", 200), ("text/plain", 415)):
        assert client.patch(f"/v1/jobs/{job}", data=b'{"pinned": true}', content_type=kind).status_code == status


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"priority": 101}, "/priority"), ({"nmae": "x"}, "/nmae"), ({"tags": {"": "x"}}, "/tags/"),
        ({"tags": {"a": 1}}, "/tags/a"), ({"pinned": "yes"}, "/pinned"), ({"name": "x" * 201}, "/name"),
        ({"tags": {str(number): "x" for number in range(33)}}, "/tags"), ({"stage": "nn"}, "/stage"),
    ],
)  # fmt: skip
def test_a_wrong_change_is_refused_with_its_place(
    client: FlaskClient, database: Database, settings: Settings, patch: dict[str, Any], pointer: str
) -> None:
    job = submitted(database, settings, tags={"a": "1"})
    answer: Any = client.patch(f"/v1/jobs/{job}", json=patch)
    assert (answer.status_code, answer.json["type"]) == (422, "body_invalid")
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]
    assert found_by(database)[1] == {"a": "1"}


def test_a_job_of_a_higher_priority_is_claimed_first_also_when_it_is_given_later(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    first, later = submitted(database, settings), submitted(database, settings, seed=1, steps=5)
    assert changed(client, later, priority=50)["priority"] == 50
    assert client.get(f"/v1/jobs/{later}").json["waiting"]["position"] == 1  # type: ignore[index]
    assert [each.id for each in claimed(database, worker_of(database)).members] == [later]
    refused: Any = client.patch(f"/v1/jobs/{later}", json={"priority": 1, "name": "x"})
    assert (refused.status_code, "only the priority of a queued one" in refused.json["detail"]) == (409, True)
    assert client.get(f"/v1/jobs/{later}").json["name"] is None  # type: ignore[index]
    assert changed(client, later, priority=50, name="same")["name"] == "same"
    assert changed(client, first, priority=-3)["priority"] == -3


def test_a_pinned_job_is_not_deleted_alone_nor_with_its_batch(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    batch: Any = client.post("/v1/batches", json={"jobs": [{"stage": "tensor", "steps": 4}] * 2}).json
    client.post(f"/v1/batches/{batch['id']}/cancel")
    listed: Any = client.get("/v1/jobs").json
    job = listed["jobs"][0]["id"]
    changed(client, job, pinned=True)
    for path in (f"/v1/jobs/{job}", f"/v1/batches/{batch['id']}"):
        refused: Any = client.delete(path)
        assert (refused.status_code, "unpin it" in refused.json["detail"]) == (409, True)
    changed(client, job, pinned=False)
    assert client.delete(f"/v1/batches/{batch['id']}").json == {"id": batch["id"], "deleted": 2}


def test_a_retry_has_the_name_tags_and_priority_that_the_job_has_by_then(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, name="old", tags={"a": "1"}, priority=3)
    changed(client, job, name="new", tags={"a": None, "b": "2"}, priority=7)
    succeeds(database, claimed(database, worker_of(database)))
    retried: Any = client.post(f"/v1/jobs/{job}/retry").json
    assert (retried["name"], retried["tags"], retried["priority"]) == ("new", {"b": "2"}, 7)
    assert retried["spec"]["name"] == "new"


def test_the_audit_says_what_was_changed(client: FlaskClient, database: Database, settings: Settings) -> None:
    job = submitted(database, settings, name="same")
    changed(client, job, name="same")
    changed(client, job, pinned=True, tags={"a": "1"})
    with database.read() as connection:
        entries = list(connection.execute(select(AuditEntry.action, AuditEntry.target, AuditEntry.detail)))
    assert [tuple(each) for each in entries] == [("job_changed", str(job), "pinned, tags")]
