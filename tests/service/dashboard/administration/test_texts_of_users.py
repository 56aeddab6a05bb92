"""What users, workers and receivers of messages wrote is text in the pages of administration."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.settings import Settings
from gradyard.store import fleet
from gradyard.store.database import Database
from gradyard.store.tables import ApiKey, AuditEntry, Job, Project, Retention, Webhook, WebhookDelivery, Worker
from tests.actors import claimed, submitted, worker_of
from tests.service.dashboard.conftest import Look
from tests.service.dashboard.test_texts_of_users import EVIL, assert_harmless, assert_no_element_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_workers_queues_and_drains(look: Look, database: Database, settings: Settings) -> None:
    submitted(database, settings, name=EVIL[:190])
    claimed(database, worker_of(database))
    with database.begin() as connection:
        texts = {"host": EVIL, "slot": EVIL[:60], "device_name": EVIL, "device_uuid": EVIL, "pool": EVIL[:60]}
        connection.execute(update(Worker).values(texts))
        connection.execute(update(Job).values(stage=EVIL[:64]))
        for kind in HoldKind:
            name = "cpu" if kind is HoldKind.QUEUE else EVIL
            fleet.hold(connection, kind, name, actor=EVIL, reason=EVIL)
        fleet.hold(connection, HoldKind.SLOT, f"{EVIL}@{EVIL}", actor=EVIL, reason=EVIL)
    assert_harmless(look("/workers"))


def test_keys_projects_and_rules(look: Look, client: FlaskClient, database: Database) -> None:
    client.post("/v1/keys", json={"name": "ada", "project": "physics"})
    client.put("/v1/storage/retention", json={"days": 1})
    with database.begin() as connection:
        connection.execute(update(ApiKey).values(name=EVIL[:64], created_by=EVIL, hint=EVIL[:15], scopes=[EVIL]))
        connection.execute(update(Project).where(Project.name == "physics").values(name=EVIL[:64]))
        connection.execute(update(Retention).values(set_by=EVIL))
    for path in ("/keys", "/storage"):
        assert_harmless(look(path))


def test_the_audit(look: Look, client: FlaskClient, database: Database) -> None:
    client.post("/v1/queues/cpu/pause", json={"reason": EVIL})
    with database.begin() as connection:
        connection.execute(update(AuditEntry).values(actor=EVIL, target=EVIL, detail=EVIL))
    assert_harmless(look("/audit"))


def test_webhooks_and_what_their_receivers_answered(look: Look, client: FlaskClient, database: Database) -> None:
    made: Any = client.post("/v1/webhooks", json={"url": "https://example.org/", "events": ["job.failed"]}).json
    client.post(f"/v1/webhooks/{made['id']}/test")
    with database.begin() as connection:
        texts = {"url": EVIL, "description": EVIL, "created_by": EVIL, "events": [EVIL]}
        connection.execute(update(Webhook).values(texts))
        connection.execute(update(WebhookDelivery).values(answer=EVIL, error=EVIL))
    for path in ("/webhooks", f"/webhooks/{made['id']}"):
        assert_harmless(look(path))
    with database.begin() as connection:
        connection.execute(update(Webhook).values(enabled=False, disabled_because=EVIL))
    assert_harmless(look("/webhooks"))


@pytest.mark.parametrize("path", ["/workers", "/keys", "/storage", "/audit", "/webhooks"])
@pytest.mark.parametrize("name", ["cursor", "limit", "project", "actor", "action", "x"])
def test_an_address(client: FlaskClient, path: str, name: str) -> None:
    answered = client.get(path, query_string={name: EVIL}, headers={"Accept": "text/html"})
    assert answered.status_code < 500
    assert_no_element_of(answered.text)
