"""Webhooks: a list with the condition of each, and the messages of one."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from gradyard.store.database import Database
from gradyard.store.tables import Webhook, WebhookDelivery
from tests.service.dashboard.conftest import Look

WANTED = {"url": "https://example.org/hook", "events": ["job.failed"], "description": "to the chat"}


@pytest.fixture
def webhook(client: FlaskClient) -> dict[str, Any]:
    made: Any = client.post("/v1/webhooks", json=WANTED).json
    return dict(made)


def test_a_webhook_is_listed_without_its_secret(look: Look, webhook: dict[str, Any]) -> None:
    page = look("/webhooks")
    assert "https://example.org/hook" in page
    assert "to the chat" in page
    assert "no message was accepted yet" in page
    assert webhook["secret"] not in page
    assert webhook["secret"] not in look(f"/webhooks/{webhook['id']}")


def test_one_that_is_off_or_failing_says_why(
    look: Look, client: FlaskClient, database: Database, webhook: dict[str, Any]
) -> None:
    with database.begin() as connection:
        connection.execute(update(Webhook).values(failures=3, failing_since=Webhook.created_at))
    assert "3 tries since" in look("/webhooks")
    client.patch(f"/v1/webhooks/{webhook['id']}", json={"enabled": False})
    page = look("/webhooks")
    assert "it was switched off by hand" in page
    assert "Switch on" in page
    assert "Switch off" not in page


def test_its_messages_are_told_with_their_newest_answer(
    look: Look, client: FlaskClient, database: Database, webhook: dict[str, Any]
) -> None:
    path = f"/webhooks/{webhook['id']}"
    assert "No message yet" in look(path)
    made: Any = client.post(f"/v1{path}/test").json
    with database.begin() as connection:
        told = {"status": 503, "answer": "come back later", "error": "the answer was 503", "tries": 1, "seconds": 0.25}
        connection.execute(update(WebhookDelivery).values(told))
    page = look(path)
    assert "webhook.test" in page
    assert "come back later" in page
    assert "the answer was 503" in page
    assert f'data-path="webhooks/{webhook["id"]}/deliveries/{made["id"]}/resend"' in page
    assert "No message is in that state" in look(f"{path}?state=delivered")
    assert "webhook.test" in look(f"{path}?state=waiting")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_that_is_not_there_is_told(look: Look) -> None:
    assert "there is no webhook" in look(f"/webhooks/{UUID(int=1)}", 404)
