"""A Client of an operator names its project in the requests that take it; keys are rotated, and the audit is read."""

from typing import Any

from gradyard import Client
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, answering, job

KEY = {"id": JOB_ID, "name": "ci", "project": "physics", "scopes": ["jobs:read"], "state": "live", "key": "new"}
ENTRY = {"id": JOB_ID, "at": "2026-11-23T09:00:00Z", "actor": "api:ops@default", "project": "default",
         "action": "drained", "target": "host", "detail": "new disk"}  # fmt: skip


def respond(asked: Asked) -> Said:
    lists: dict[str, Any] = {"/v1/jobs": {"jobs": [], "next_cursor": None}, "/v1/queues": {"queues": []},
                             "/v1/stages": {"stages": []}, "/v1/workers/h/drain": {"workers": []}}  # fmt: skip
    if asked.path.endswith("/export"):
        return Said(200, b"")
    return Said(200, lists.get(asked.path, job(state="cancelled")))


def test_the_project_is_named_where_it_means_something() -> None:
    with FakeService(respond).running() as service, Client(service.url, project="physics") as client:
        list(client.jobs(state="failed"))
        client.job("x")
        client.cancel("x")
        list(client.export_jobs("b"))
        client.queues()
        client.stages()
        client.workers.drain("h")
    named = [asked.params.get("project") for asked in service.asked]
    assert named == ["physics"] * 5 + [None] * 2
    assert service.asked[0].params["state"] == "failed"
    assert service.asked[3].params["losses"] == "base64"


def test_without_a_project_none_is_named() -> None:
    with FakeService(respond).running() as service, Client(service.url) as client:
        client.job("x")
    assert service.asked[0].params == {}


def test_a_key_is_rotated_with_an_overlap() -> None:
    with answering(Said(201, KEY)) as service, Client(service.url) as client:
        made = client.keys.rotate(JOB_ID, overlap_hours=2)
    assert (made.key, made.name) == ("new", "ci")
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("POST", f"/v1/keys/{JOB_ID}/rotate")
    assert asked.body == b'{"overlap_hours": 2}'


def test_the_audit_is_read_page_by_page() -> None:
    pages = [Said(200, {"entries": [ENTRY], "next_cursor": "c"}), Said(200, {"entries": [ENTRY], "next_cursor": None})]
    with answering(*pages) as service, Client(service.url, project="default") as client:
        entries = list(client.audit(action="drained", actor="api:ops@default"))
    assert [each.target for each in entries] == ["host", "host"]
    assert service.asked[1].params["cursor"] == "c"
    assert {"project": "default", "action": "drained", "actor": "api:ops@default"}.items() <= service.asked[
        0
    ].params.items()
