"""Webhooks over HTTP: who may make them, what is shown of them, their messages."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from openapi_spec_validator import validate
from pydantic import SecretStr
from sqlalchemy import select

from gradyard.jobs.settings import Settings
from gradyard.jobs.webhooks.events import WebhookEvent
from gradyard.store.database import Database
from gradyard.store.tables import AuditEntry, Webhook
from gradyard.store.webhooks import registry
from gradyard.store.webhooks.claims import claim_due
from gradyard.store.webhooks.deliveries import Answered, note_answer
from gradyard.store.webhooks.messages import make_messages
from service.http.document.build import document
from tests.actors import claimed, fails, submitted, worker_of
from tests.service.conftest import AppWith
from tests.service.test_api_keys import ADMIN, KeyOf, key_of  # noqa: F401 - a fixture

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WANTED = {"url": "https://example.org/hook?token=canary", "events": ["job.failed", "batch.finished"]}


@pytest.fixture
def app(app_with: AppWith) -> OpenAPI:
    return app_with(admin_key=SecretStr("s3cret-canary-key"))


def made(client: FlaskClient, key: dict[str, str] = ADMIN, **asked: Any) -> dict[str, Any]:
    response = client.post("/v1/webhooks", json=WANTED | asked, headers=key)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json  # type: ignore[assignment]
    return answer


def test_a_webhook_shows_its_secret_once(client: FlaskClient, database: Database) -> None:
    webhook = made(client, description="to the chat")
    assert webhook["secret"].startswith("whsec_")
    shown = client.get(f"/v1/webhooks/{webhook['id']}", headers=ADMIN).json
    assert shown == {name: value for name, value in webhook.items() if name != "secret"}
    assert shown["events"] == WANTED["events"]
    assert (shown["enabled"], shown["description"], shown["created_by"]) == (True, "to the chat", "api")
    listed = client.get("/v1/webhooks", headers=ADMIN)
    assert listed.json == {"webhooks": [shown], "next_cursor": None}
    assert webhook["secret"] not in listed.text


@on_sqlite
def test_a_secret_of_ones_own_is_taken(client: FlaskClient) -> None:
    own = "whsec_" + "QUJD" * 10
    assert made(client, secret=own)["secret"] == own


@on_sqlite
@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"url": "http://example.org/"}, "/url"), ({"url": "https://10.0.0.1/"}, "/url"),
        ({"url": "https://ada:word@example.org/"}, "/url"), ({"events": []}, "/events"),
        ({"events": ["job.exploded"]}, "/events/0"), ({"events": ["webhook.test"]}, "/events/0"),
        ({"secret": "whsec_short"}, "/secret"), ({"more": 1}, "/more"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_with_its_place(client: FlaskClient, asked: dict[str, Any], pointer: str) -> None:
    response = client.post("/v1/webhooks", json=WANTED | asked, headers=ADMIN)
    assert response.status_code == 422
    assert [each["pointer"] for each in response.json["errors"]] == [pointer]  # type: ignore[index]


@on_sqlite
def test_an_operator_may_allow_networks_of_the_laboratory(app_with: AppWith) -> None:
    client = app_with(webhook_allow="http,10.0.0.0/8").test_client()
    assert client.post("/v1/webhooks", json=WANTED | {"url": "http://10.0.0.1:5000/hook"}).status_code == 201
    assert client.post("/v1/webhooks", json=WANTED | {"url": "http://11.0.0.1:5000/hook"}).status_code == 422


@on_sqlite
def test_a_project_has_twenty_webhooks_at_most(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MOST_OF_A_PROJECT", 2)
    made(client), made(client)
    response = client.post("/v1/webhooks", json=WANTED, headers=ADMIN)
    assert (response.status_code, response.json["type"]) == (409, "too_many_webhooks")  # type: ignore[index]


@on_sqlite
def test_webhooks_of_another_project_are_not_there(client: FlaskClient, key_of: KeyOf) -> None:  # noqa: F811
    physics, biology = (key_of(project, scopes=["admin"]) for project in ("physics", "biology"))
    mine = made(client, physics)
    assert mine["project"] == "physics"
    assert client.get("/v1/webhooks", headers=biology).json["webhooks"] == []  # type: ignore[index]
    path = f"/v1/webhooks/{mine['id']}"
    for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/rotate"), ("GET", "/deliveries")):
        assert client.open(path + more, method=method, headers=biology).status_code == 404
    assert client.patch(path, json={"enabled": False}, headers=biology).status_code == 404
    assert client.get(f"{path}?project=physics", headers=ADMIN).status_code == 200


@on_sqlite
def test_events_of_workers_are_for_operators(client: FlaskClient, key_of: KeyOf) -> None:  # noqa: F811
    member = key_of("default", scopes=["admin"])
    lost: dict[str, Any] = {"events": ["worker.lost"]}
    assert client.post("/v1/webhooks", json=WANTED | lost, headers=member).status_code == 403
    mine, operators = made(client, member), made(client, ADMIN, **lost)
    assert client.patch(f"/v1/webhooks/{mine['id']}", json=lost, headers=member).status_code == 403
    path = f"/v1/webhooks/{operators['id']}"
    for change in (client.patch(path, json={"url": "https://evil.example/"}, headers=member),
                   client.post(f"{path}/rotate", headers=member), client.delete(path, headers=member)):  # fmt: skip
        assert change.status_code == 403


def test_what_is_changed_stays_and_the_rest_as_well(client: FlaskClient) -> None:
    webhook = made(client, description="first")
    path = f"/v1/webhooks/{webhook['id']}"
    changed = client.patch(path, json={"events": ["job.cancelled"], "description": None}, headers=ADMIN).json
    assert (changed["events"], changed["description"]) == (["job.cancelled"], None)  # type: ignore[index]
    assert changed["url"] == WANTED["url"]  # type: ignore[index]
    off = client.patch(path, json={"enabled": False}, headers=ADMIN).json
    assert (off["enabled"], off["disabled_because"]) == (False, "it was switched off by hand")  # type: ignore[index]
    on = client.patch(path, json={"enabled": True}, headers=ADMIN).json
    assert (on["enabled"], on["disabled_at"], on["disabled_because"]) == (True, None, None)  # type: ignore[index]
    refused = client.patch(path, json={"url": "https://127.0.0.1/"}, headers=ADMIN)
    assert refused.status_code == 422
    assert client.patch(path, json={"url": None}, headers=ADMIN).status_code == 422


def test_a_rotation_shows_the_new_secret_once_and_until_when_the_old_one_signs(
    client: FlaskClient, database: Database
) -> None:
    webhook = made(client)
    path = f"/v1/webhooks/{webhook['id']}"
    rotated = client.post(f"{path}/rotate", json={"overlap_hours": 48}, headers=ADMIN).json
    assert rotated["secret"] not in ("", webhook["secret"])  # type: ignore[index]
    assert rotated["earlier_secret_until"] is not None  # type: ignore[index]
    with database.read() as connection:
        stored = connection.execute(select(Webhook.secret, Webhook.earlier_secret)).one()
    assert tuple(stored) == (rotated["secret"], webhook["secret"])  # type: ignore[index]


def test_a_test_is_a_message_that_can_be_looked_at_and_sent_again(client: FlaskClient, database: Database) -> None:
    webhook = made(client)
    path = f"/v1/webhooks/{webhook['id']}"
    asked = client.post(f"{path}/test", headers=ADMIN)
    assert asked.status_code == 202
    message = asked.json
    assert (message["event"], message["state"], message["tries"]) == ("webhook.test", "waiting", 0)  # type: ignore[index]
    with database.begin() as connection:
        (tried,) = claim_due(connection, 9)
        note_answer(connection, tried, Answered(500, "<b>no</b>", "it answered 500", 0.5))
    listed = client.get(f"{path}/deliveries", headers=ADMIN).json["deliveries"]  # type: ignore[index]
    (shown,) = listed
    assert (shown["id"], shown["status"], shown["answer"], shown["tries"]) == (message["id"], 500, "<b>no</b>", 1)  # type: ignore[index]
    assert shown["next_try_at"] > shown["tried_at"]
    one = client.get(f"{path}/deliveries/{shown['id']}", headers=ADMIN).json
    assert one["message"]["data"] == {"webhook": webhook["id"], "url": WANTED["url"]}  # type: ignore[index]
    again = client.post(f"{path}/deliveries/{shown['id']}/resend", headers=ADMIN)
    assert (again.status_code, again.json["tries"]) == (202, 0)  # type: ignore[index]
    assert client.get(path, headers=ADMIN).json["failures"] == 1  # type: ignore[index]
    assert client.post(f"{path}/deliveries/{uuid4()}/resend", headers=ADMIN).status_code == 404


def test_a_webhook_that_is_off_sends_nothing_by_hand_and_says_so(client: FlaskClient) -> None:
    path = f"/v1/webhooks/{made(client)['id']}"
    message: Any = client.post(f"{path}/test", headers=ADMIN).json
    client.patch(path, json={"enabled": False}, headers=ADMIN)
    for deed in ("test", f"deliveries/{message['id']}/resend"):
        refused: Any = client.post(f"{path}/{deed}", headers=ADMIN)
        assert (refused.status_code, refused.json["type"]) == (409, "webhook_off")
        assert "switch it on first" in refused.json["detail"]


def test_messages_are_listed_by_state_and_in_pages(client: FlaskClient, database: Database, settings: Settings) -> None:
    webhook = made(client, events=["job.failed"])
    for seed in range(3):
        submitted(database, settings, seed=seed)
    fails(database, claimed(database, worker_of(database)))
    with database.begin() as connection:
        make_messages(connection)
        (tried, *_) = claim_due(connection, 1)
        note_answer(connection, tried, Answered(200, "", None, 0.5))
    path = f"/v1/webhooks/{webhook['id']}/deliveries"
    first = client.get(f"{path}?limit=2", headers=ADMIN).json
    second = client.get(f"{path}?limit=2&cursor={first['next_cursor']}", headers=ADMIN).json  # type: ignore[index]
    ids = [each["id"] for page in (first, second) for each in page["deliveries"]]  # type: ignore[index]
    assert (len(ids), ids, second["next_cursor"]) == (3, sorted(ids, reverse=True), None)  # type: ignore[index]
    delivered = client.get(f"{path}?state=delivered", headers=ADMIN).json["deliveries"]  # type: ignore[index]
    assert [each["id"] for each in delivered] == [str(tried.id)]
    assert client.get(f"{path}?cursor=nonsense", headers=ADMIN).status_code == 422


def test_a_webhook_is_found_by_a_beginning_of_its_id(client: FlaskClient) -> None:
    first, second = made(client)["id"], made(client)["id"]
    shared = next(place for place, (one, other) in enumerate(zip(first, second, strict=True)) if one != other)
    shown = client.get(f"/v1/webhooks/{first[: shared + 1]}", headers=ADMIN)
    assert (shown.status_code, shown.json["id"]) == (200, first)  # type: ignore[index]
    both = client.get(f"/v1/webhooks/{first[:8]}", headers=ADMIN)
    assert both.status_code == 409
    assert {each["id"] for each in both.json["candidates"]} == {first, second}  # type: ignore[index]


def test_a_deleted_webhook_is_gone(client: FlaskClient) -> None:
    path = f"/v1/webhooks/{made(client)['id']}"
    assert client.delete(path, headers=ADMIN).status_code == 204
    assert client.get(path, headers=ADMIN).status_code == 404
    assert client.delete(path, headers=ADMIN).status_code == 404


@on_sqlite
def test_the_audit_tells_who_did_what_and_no_secret(client: FlaskClient, database: Database) -> None:
    webhook = made(client)
    path = f"/v1/webhooks/{webhook['id']}"
    client.patch(path, json={"batch_members": False, "url": "https://example.org/canary"}, headers=ADMIN)
    rotated = client.post(f"{path}/rotate", headers=ADMIN).json
    message = client.post(f"{path}/test", headers=ADMIN).json
    client.post(f"{path}/deliveries/{message['id']}/resend", headers=ADMIN)  # type: ignore[index]
    client.delete(path, headers=ADMIN)
    with database.read() as connection:
        entries = connection.execute(select(AuditEntry.action, AuditEntry.detail).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == [
        "webhook_created", "webhook_changed", "webhook_rotated", "webhook_resent", "webhook_deleted",
    ]  # fmt: skip
    written = str(entries)
    assert not any(each in written for each in (webhook["secret"], rotated["secret"], "canary"))  # type: ignore[index]


@on_sqlite
def test_the_messages_are_in_the_document(app: OpenAPI) -> None:
    described = document(app)
    assert set(described["webhooks"]) == set(WebhookEvent)
    validate(described | {"servers": [{"url": "/"}]})
    for operation in described["webhooks"].values():
        ref = operation["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["data"]["$ref"]
        assert ref.removeprefix("#/components/schemas/") in described["components"]["schemas"]


def test_metrics_tell_what_waits_and_what_was_accepted(client: FlaskClient, database: Database) -> None:
    client.post(f"/v1/webhooks/{made(client)['id']}/test", headers=ADMIN)
    told = client.get("/metrics", headers=ADMIN).text
    assert "gradyard_webhook_messages_waiting 1.0" in told
    assert "gradyard_webhook_oldest_waiting_seconds" in told
    assert "gradyard_webhooks_delivered_total 0.0" in told
    assert "gradyard_webhook_tries_failed_total 0.0" in told
