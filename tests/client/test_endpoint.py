"""Where a Client without a URL looks, and which key it shows there."""

import ssl
from pathlib import Path

import pytest

from gradyard import Client
from gradyard.client import endpoint
from gradyard.client.endpoint import find_service
from gradyard.client.http.connection import Connection
from gradyard.jobs.settings import load
from gradyard.local.state_folder import StateFolder
from tests.client.service_for_tests import FakeService, Said, answering


@pytest.fixture(autouse=True)
def keys_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GRADYARD_URL", raising=False)
    monkeypatch.setenv("GRADYARD_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("GRADYARD_KEY", "canary-mine")
    monkeypatch.setenv("GRADYARD_ADMIN_KEY", "canary-admin")


def keys_shown(service: FakeService) -> list[str | None]:
    return [asked.headers.get("Authorization") for asked in service.asked]


def test_what_listens_at_the_usual_url_is_shown_no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(Said(200, {"keys": []})) as stranger:
        monkeypatch.setattr(endpoint, "CONVENTIONAL_URL", stranger.url)
        with Client() as client:
            client.keys()
    assert keys_shown(stranger) == [None]


def test_a_key_of_the_call_is_shown_at_the_usual_url(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(Said(200, {"keys": []})) as service:
        monkeypatch.setattr(endpoint, "CONVENTIONAL_URL", service.url)
        with Client(key="given") as client:
            client.keys()
    assert keys_shown(service) == ["Bearer given"]


def test_our_own_stack_is_shown_the_key_of_the_environment_for_as_long_as_it_runs(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.take()
    folder.announce("http://127.0.0.1:1234")
    settings = load()
    assert find_service(settings=settings) == ("http://127.0.0.1:1234", "canary-mine")
    folder.leave()  # as after a kill: the file is there, its owner is gone
    assert find_service(settings=settings) == (endpoint.CONVENTIONAL_URL, None)


@pytest.mark.parametrize(
    ("url", "read"),
    [("http://127.0.0.1:1", False), ("http://LOCALHOST:1", False), ("https://127.0.0.1:1", True),
     ("http://example.org", True)],
)  # fmt: skip
def test_certificates_are_read_where_a_connection_may_need_them(url: str, read: bool) -> None:
    """They take a third of the time of a short command. Without any, no connection with TLS comes about."""
    options = Connection(url, None, None, 0.0, None).options()
    assert ("verify" not in options) == read
    if not read:
        assert (options["verify"].get_ca_certs(), options["verify"].verify_mode) == ([], ssl.CERT_REQUIRED)
