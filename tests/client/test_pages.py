"""The Client follows the pages of every list by itself."""

from typing import Any

import pytest

from gradyard import Client
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said

AT = "2026-11-23T09:00:00Z"
ROWS: dict[str, Any] = {
    "workers": {"id": JOB_ID, "queue": "cpu", "state": "idle"}, "keys": {"id": JOB_ID, "state": "live"},
    "events": {"sequence": 1, "from": None, "to": "queued", "at": AT}, "logs": {"attempt": 1, "text": "a"},
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_list_of_several_pages_is_whole(name: str) -> None:
    def respond(asked: Asked) -> Said:
        page = {None: "a", "a": "b", "b": None}[asked.params.get("cursor")]
        return Said(200, {name: [ROWS[name]] * 2, "next_cursor": page})

    with FakeService(respond).running() as service, Client(service.url) as client:
        ask: Any = getattr(client, name)
        assert len(ask(JOB_ID) if name in ("events", "logs") else ask()) == 6
    assert ["limit" in asked.params for asked in service.asked] == [False] * 3  # an older service refuses it


def test_the_list_of_an_older_service_has_one_page() -> None:
    with FakeService(lambda _: Said(200, {"workers": [ROWS["workers"]]})).running() as service:
        with Client(service.url) as client:
            assert len(client.workers()) == 1
