"""A job that is over is tried again as a new one, tells what was said, and is deleted with all that it left."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Table
from tests.actors import claimed, fails, submitted, succeeds, worker_of


def over(database: Database, settings: Settings, **spec: object) -> UUID:
    """A job that has succeeded."""
    job_id = submitted(database, settings, **spec)
    succeeds(database, claimed(database, worker_of(database)))
    return job_id


def retry(client: FlaskClient, job_id: object, key: str | None = None) -> Any:
    return client.post(f"/v1/jobs/{job_id}/retry", headers={"Idempotency-Key": key} if key else {})


def test_a_retry_is_a_new_job_with_the_same_spec(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, seed=7, name="again", learning_rate=1e-6)
    fails(database, claimed(database, worker_of(database)))
    response = retry(client, job_id)
    assert response.status_code == 202
    assert response.headers["Location"] == f"/v1/jobs/{response.json['id']}"
    first: Any = client.get(f"/v1/jobs/{job_id}").json
    assert (first["state"], first["retry_of"]) == ("failed", None)
    assert response.json["id"] != str(job_id)
    assert (response.json["state"], response.json["retry_of"]) == ("queued", str(job_id))
    assert response.json["spec"] == first["spec"]
    events: Any = client.get(f"/v1/jobs/{response.json['id']}/events").json
    assert events["events"][0]["detail"] == f"a retry of {job_id}"


def test_a_retry_sent_twice_with_a_key_is_one_job(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id, other = over(database, settings), over(database, settings)
    first, second = retry(client, job_id, "k"), retry(client, job_id, "k")
    assert first.json["id"] == second.json["id"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert retry(client, other, "k").status_code == 422


def test_only_what_is_over_is_tried_again_or_deleted(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    assert [retry(client, job_id).status_code, client.delete(f"/v1/jobs/{job_id}").status_code] == [409, 409]
    claimed(database, worker_of(database))
    refused: Any = client.delete(f"/v1/jobs/{job_id}")
    assert (refused.status_code, "running" in refused.json["detail"]) == (409, True)
    assert [retry(client, uuid4()).status_code, client.delete(f"/v1/jobs/{uuid4()}").status_code] == [404, 404]


def test_a_deleted_job_leaves_nothing_but_its_id(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id, kept = over(database, settings), over(database, settings)
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    with database.read() as connection:
        for table in Table.metadata.tables.values():
            if "job_id" in table.columns and table.name != "idempotency_keys":
                assert connection.execute(table.select().where(table.c.job_id == job_id)).all() == []
    assert client.get(f"/v1/jobs/{kept}").status_code == 200


@pytest.mark.parametrize("path", ["", "/losses", "/events", "/logs"])
def test_a_deleted_id_is_gone(client: FlaskClient, database: Database, settings: Settings, path: str) -> None:
    job_id = over(database, settings)
    client.delete(f"/v1/jobs/{job_id}")
    response: Any = client.get(f"/v1/jobs/{job_id}{path}")
    assert (response.status_code, response.json["type"]) == (410, "gone")
    assert [retry(client, job_id).status_code, client.delete(f"/v1/jobs/{job_id}").status_code] == [410, 410]


def test_a_retry_outlives_the_job_that_it_repeats(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id = over(database, settings)
    again = retry(client, job_id).json["id"]
    client.delete(f"/v1/jobs/{job_id}")
    shown: Any = client.get(f"/v1/jobs/{again}").json
    assert shown["retry_of"] == str(job_id)


def test_what_was_said_is_kept_by_attempt_and_only_by_its_own(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    [first] = claimed(database, worker_of(database)).members
    with database.begin() as connection:
        assert lifecycle.keep_log(connection, first.held, "one", truncated=False)
        assert lifecycle.keep_log(connection, first.held, "one", truncated=False)  # told twice
        lifecycle.hand_back(connection, first.held, actor="w", detail="it stops")
    claim = claimed(database, worker_of(database, "cpu-1"))
    with database.begin() as connection:
        assert not lifecycle.keep_log(connection, first.held, "a ghost", truncated=False)
        assert lifecycle.keep_log(connection, claim.members[0].held, "two", truncated=True)
    succeeds(database, claim)
    response: Any = client.get(f"/v1/jobs/{job_id}/logs").json
    assert response == {"next_cursor": None, "logs": [
        {"attempt": 1, "text": "one", "truncated": False}, {"attempt": 2, "text": "two", "truncated": True},
    ]}  # fmt: skip
