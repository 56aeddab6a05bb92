"""What a user wrote is text in a page, wherever it stands."""

import re
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from sqlalchemy import insert, update

from gradyard.jobs.evidence.rechecks import RecheckState, Verdict
from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.rechecks import keep_verdict
from gradyard.store.tables import Artifact, AttemptLog, Batch, Job, JobEvent, Worker
from tests.actors import claimed, progress_of, submitted, succeeds, worker_of
from tests.service.dashboard.conftest import Look

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}\u202e\x1b[0m"


class _Elements(HTMLParser):
    """The elements of a page, each with its attributes, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def assert_no_element_of(text: str) -> None:
    for tag, attributes in _Elements(text).found:
        assert tag != "img"
        assert tag != "script" or attributes.get("src", "").startswith("/page/")  # type: ignore[union-attr]
        assert [name for name in attributes if name.startswith("on")] == []


TYPED = re.compile(r'(?<=<input )[^>]*? value="[^"]*"|(?<=<textarea )[^<]*')
"""What stands in a field: that is what was typed, and sent again as it is."""


def assert_harmless(text: str) -> None:
    assert_no_element_of(text)
    outside = TYPED.sub("", text)
    assert "\u202e" not in outside
    assert "\x1b" not in outside
    assert "{{7*7}}" in text, "what was written must be shown"


def test_names_tags_and_logs_are_shown_as_they_are_written(look: Look, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, name=EVIL[:190], tags={EVIL[:64]: EVIL})
    succeeds(database, claimed(database, worker_of(database)))
    with database.begin() as connection:
        connection.execute(
            insert(AttemptLog).values(job_id=job_id, project_id=1, attempt=1, text=EVIL, truncated=False)
        )
        named = {"job_id": job_id, "project_id": 1, "name": EVIL[:64], "dtype": "float64", "shape": [1]}
        connection.execute(insert(Artifact).values(named | {"content": bytes(8)}))
        connection.execute(update(JobEvent).values(detail=EVIL, actor=EVIL))
        connection.execute(update(Job).values(stage=EVIL[:64], warnings=[{"pointer": EVIL, "message": EVIL}]))
    for path in ("/jobs", f"/jobs/{job_id}"):
        assert_harmless(look(path))


def test_a_file_and_its_columns_are_shown_as_they_are_called(look: Look, app: OpenAPI) -> None:
    name = EVIL.replace("\u202e", "").replace("\x1b", "")
    header = ",".join(f'"{(each + name).replace(chr(34), chr(34) * 2)}"' for each in "xyz")
    sent = app.test_client().post("/v1/files", query_string={"name": name}, data=f"{header}\n1,2,3\n".encode())
    assert sent.status_code == 201
    assert_harmless(look("/files"))
    assert_harmless(look(f"/submit?file={sent.json['id']}"))  # type: ignore[index]


def test_a_result_is_shown_as_its_stage_wrote_it(look: Look, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        for member in claim.members:
            progress = progress_of(member, [4.0, 3.0, 2.0, 1.0])
            progress.metrics[EVIL[:64]] = np.arange(4.0)
            assert lifecycle.record(connection, progress)
            outcome = lifecycle.Outcome({EVIL: 0.5}, EVIL, {"device": EVIL, "versions": {EVIL: EVIL}})
            assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
    assert_harmless(look(f"/jobs/{job_id}"))


def test_what_a_recheck_has_shown_is_shown_as_it_is_written(
    look: Look, client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    recheck: Any = client.post(f"/v1/jobs/{job_id}/recheck").json
    succeeds(database, claimed(database, worker_of(database, "cpu-1")))
    with database.begin() as connection:
        keep_verdict(connection, 1, UUID(recheck["id"]), Verdict(RecheckState.DIFFERS, EVIL))
    for path in (f"/jobs/{job_id}", f"/jobs/{recheck['id']}"):
        assert_harmless(look(path))


def test_the_form_of_a_job_has_its_texts(look: Look, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, name=EVIL[:190], tags={EVIL[:64]: EVIL})
    assert_harmless(look(f"/submit?from={job_id}"))


def test_what_went_wrong_is_shown_as_it_is_written(look: Look, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, name=EVIL[:190])
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        for member in claim.members:
            assert lifecycle.fail(connection, member.held, Reason.ERROR, EVIL, actor="worker")
        lifecycle.release(connection, claim.id, actor="worker")
    for path in ("/", f"/jobs/{job_id}"):
        assert_harmless(look(path))


def test_slots_holds_and_batches_are_shown_as_they_are_written(
    look: Look, client: FlaskClient, database: Database
) -> None:
    worker_of(database)
    assert client.post("/v1/batches", json={"jobs": [{"stage": "nn"}]}).status_code == 202
    with database.begin() as connection:
        connection.execute(update(Worker).values(host=EVIL, device_name=EVIL))
        connection.execute(update(Batch).values(name=EVIL))
        fleet.hold(connection, HoldKind.QUEUE, "cpu", actor=EVIL, reason=EVIL)
        fleet.hold(connection, HoldKind.SLOT, f"cpu-0@{EVIL}", actor=EVIL, reason=EVIL)
    for path in ("/", "/batches"):
        assert_harmless(look(path))


@pytest.mark.parametrize("name", ["where", "sort", "fields", "stage", "batch", "tag", "name", "cursor", "project", "x"])
def test_an_address_is_shown_as_it_is_written(client: FlaskClient, name: str) -> None:
    answered = client.get("/jobs", query_string={name: EVIL}, headers={"Accept": "text/html"})
    assert answered.status_code < 500
    assert_no_element_of(answered.text)


def test_where_a_sign_in_leads_is_shown_as_it_is_written(client: FlaskClient) -> None:
    answered = client.get("/sign-in", query_string={"next": EVIL}, headers={"Accept": "text/html"})
    assert_no_element_of(answered.text)
