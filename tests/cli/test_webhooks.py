"""Webhooks from the command line, and from both Clients, against a real service with its sender."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from gradyard import Client, RefusedByService
from gradyard.client.client import AsyncClient
from gradyard.jobs.settings import Settings
from gradyard.jobs.webhooks import schedule
from gradyard.jobs.webhooks.signing import new_secret
from tests.cli.command_for_tests import Run
from tests.client.real_service import real_service
from tests.stack.until import until
from tests.workers.webhooks.receivers import Receiver, receiving
from workers.webhooks.sender import WebhookSender

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def there(settings: Settings) -> Iterator[str]:
    """The URL of a service that sends messages to this machine."""
    settings = settings.model_copy(update={"webhook_allow": "http,127.0.0.0/8", "maintenance_seconds": 0.05})
    sender = WebhookSender(settings, "maintenance@here")
    sender.start()
    with real_service(settings) as url:
        yield url
    sender.stop()


def created(run: Run, there: str, address: str) -> str:
    """Create a webhook; its id."""
    made = run("webhooks", "create", address, "--event", "job.failed", "--json", "--url", there)
    assert made.status == 0, made.err
    return str(json.loads(made.out)["id"])


def test_a_webhook_is_created_tried_and_deleted(run: Run, there: str) -> None:
    with receiving(Receiver()) as receiver:
        made = run("webhooks", "create", receiver.url, "--event", "job.failed", "--description", "chat", "--url", there)
        assert made.out.startswith("whsec_")
        with Client(there) as client:
            (webhook,) = client.webhooks()
        assert made.err == f"webhook {webhook.id}; its secret:\n"
        tried = run("webhooks", "test", webhook.id, "--url", there)
        assert (tried.status, tried.out.startswith("accepted with 204 after ")) == (0, True)
    shown = run("webhooks", "show", webhook.id, "--url", there).out
    assert all(each in shown for each in (webhook.id, receiver.url, "job.failed", "chat", "state    on"))
    listed = run("webhooks", "--url", there).out
    assert all(each in listed for each in (webhook.id, "job.failed", "on"))
    assert run("webhooks", "delete", webhook.id, "--url", there).out == f"{webhook.id} deleted\n"
    assert "there is no webhook yet" in run("webhooks", "--url", there).out


def test_a_receiver_that_refuses_is_told_with_its_answer_and_status_1(
    run: Run, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "RETRY_SECONDS", (600.0, *schedule.RETRY_SECONDS[1:]))  # it is not sent again here
    with receiving(Receiver([500], content=b"no")) as receiver:
        webhook = created(run, there, receiver.url)
        tried = run("webhooks", "test", webhook, "--url", there)
    assert (tried.status, tried.out) == (1, "not accepted: it answered 500\n")
    listed = run("webhooks", "deliveries", webhook, "--url", there).out
    assert all(each in listed for each in ("webhook.test", "waiting", "500", "it answered 500"))
    assert "failing" in run("webhooks", "--url", there).out
    assert "1 try failed" in run("webhooks", "show", webhook, "--url", there).out


def test_a_message_is_sent_again(run: Run, there: str) -> None:
    with receiving(Receiver()) as receiver:
        webhook = created(run, there, receiver.url)
        assert run("webhooks", "test", webhook, "--url", there).status == 0
        found = json.loads(run("webhooks", "deliveries", webhook, "--state", "delivered", "--json", "--url", there).out)
        message = found[0]["id"]
        assert run("webhooks", "resend", webhook, message, "--url", there).out == f"{message} is sent again\n"
        until(lambda: len(receiver.ids) == 2)
    assert receiver.ids == [message, message]


def test_a_webhook_is_changed_switched_off_and_on(run: Run, there: str) -> None:
    webhook = created(run, there, "https://example.org/one")
    changed = run("webhooks", "update", webhook, "--to", "https://example.org/two", "--event", "batch.finished",
                  "--no-batch-members", "--off", "--url", there).out  # fmt: skip
    assert all(each in changed for each in ("/two", "batch.finished", "no jobs of batches", "switched off by hand"))
    assert "state    on" in run("webhooks", "update", webhook, "--on", "--url", there).out
    refused = run("webhooks", "update", webhook, "--url", there)
    assert (refused.status, "name what to change" in refused.err) == (2, True)


def test_a_new_secret_is_shown_once(run: Run, there: str) -> None:
    webhook = created(run, there, "https://example.org/")
    rotated = run("webhooks", "rotate", webhook, "--overlap-hours", "48", "--url", there)
    assert rotated.out.startswith("whsec_")
    assert "48 hours" in rotated.err
    assert "whsec_" not in run("webhooks", "show", webhook, "--json", "--url", there).out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("https://example.org/",), "name what it is to tell"),
        (("https://10.0.0.1/", "--event", "job.failed"), "not public"),
    ],
)
def test_what_is_refused_says_why(run: Run, there: str, words: tuple[str, ...], why: str) -> None:
    refused = run("webhooks", "create", *words, "--url", there)
    assert (refused.status, why in refused.err) == (2, True)


def test_the_client_does_the_same(there: str) -> None:
    own = new_secret()
    with receiving(Receiver()) as receiver, Client(there) as client:
        made = client.webhooks.create(receiver.url, ["job.failed"], secret=own, description="chat")
        assert made.secret == own
        assert own not in repr(made)
        assert client.webhooks.update(made, description=None, events=["job.succeeded"]).description is None
        asked = client.webhooks.test(made)
        until(lambda: client.webhooks.delivery(made, asked).delivered)
        assert [each.id for each in client.webhooks.deliveries(made, state="delivered")] == [asked.id]
        assert client.webhooks.delivery(made, asked).message["type"] == "webhook.test"
        client.webhooks.resend(made, asked)
        assert client.webhooks.rotate(made, overlap_hours=1).earlier_secret_until is not None
        client.webhooks.delete(made)
        with pytest.raises(RefusedByService, match="no webhook"):
            client.webhooks.get(made.id)


def test_the_asynchronous_client_does_as_well(there: str) -> None:
    async def ask() -> list[str]:
        async with AsyncClient(there) as client:
            made = await client.webhooks.create("https://example.org/", ["job.failed"])
            asked = await client.test_webhook(made)
            listed = [each.id async for each in client.webhooks.deliveries(made)]
            assert [each.id for each in await client.webhooks()] == [made.id]
            await client.webhooks.delete(made)
            return listed if asked.id in listed else []

    assert len(asyncio.run(ask())) == 1
