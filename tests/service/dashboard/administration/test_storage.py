"""Storage: what a project stores by kind, which ended jobs it keeps, and for operators that of all projects."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import insert

from gradyard.jobs.api_keys import Scope
from gradyard.store.database import Database
from gradyard.store.tables import Project, ProjectStorage
from service.dashboard.administration.sizes import in_largest_unit, size
from tests.service.conftest import AppWith
from tests.service.dashboard.conftest import Look

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
GIB = 2**30


@pytest.fixture
def stored(database: Database) -> None:
    """The default project has 1.5 GiB of losses and 3 rows of logs; physics nothing that was added up."""
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=2, name="physics"))
        sums: dict[str, Any] = {"losses_bytes": GIB * 3 // 2, "losses_rows": 20_123, "logs_bytes": 512, "logs_rows": 3}
        for kind in ("metrics", "artifacts", "checkpoints", "events", "specs"):
            sums |= {f"{kind}_bytes": 0, f"{kind}_rows": 0}
        row = {"project_id": 1, "measured_at": 1_780_000_000.0, "measured_to": 1_780_000_000.0}
        connection.execute(insert(ProjectStorage).values(row | sums))


def test_what_is_stored_is_told_by_kind_and_all_projects_to_an_operator(look: Look, stored: None) -> None:
    page = look("/storage")
    assert "1.5 GiB" in page
    assert "20,123" in page
    assert "512 bytes" in page
    assert "no limit" in page
    assert page.index("loss curves") < page.index(">logs<"), "the largest kind first"
    assert "All projects" in page
    assert 'href="/?project=physics"' in page
    assert "Not added up yet" in look("/storage?project=physics")
    assert "All projects" not in look("/storage?project=physics")


@on_sqlite
def test_a_full_project_is_told(app_with: AppWith, stored: None) -> None:
    client = app_with(max_stored_bytes=GIB).test_client()
    assert "new jobs are refused" in client.get("/storage", headers={"Accept": "text/html"}).text


def test_the_rule_is_told_in_words_and_stands_in_the_form(look: Look, client: FlaskClient, stored: None) -> None:
    assert "<b>all ended jobs</b>" in look("/storage")
    assert client.put("/v1/storage/retention", json={"days": 90, "jobs": 1000, "bytes": 2 * GIB}).status_code == 200
    page = look("/storage")
    assert "<b>90 days, the newest 1,000 jobs, 2 GiB</b>" in page
    assert 'name="days" type="number" step="any" value="90"' in page
    assert 'name="bytes" type="number" step="any" value="2"' in page
    assert f'<option value="{GIB}" selected>GiB</option>' in page
    assert "Use the service" in page


@on_sqlite
def test_the_form_is_for_administrators_of_the_project(app_with: AppWith, stored: None) -> None:
    client = app_with(admin_key=SecretStr("s3cret-canary-key")).test_client()
    admin = {"Authorization": "Bearer s3cret-canary-key"}
    for scopes, may in (([Scope.ADMIN], True), ([Scope.JOBS_READ], False), ([Scope.OPERATOR], False)):
        body = {"name": f"of-{scopes[0].name}", "project": "physics", "scopes": scopes}
        made: Any = client.post("/v1/keys", json=body, headers=admin).json
        page = client.get("/storage", headers={"Authorization": f"Bearer {made['key']}", "Accept": "text/html"}).text
        assert ("data-send" in page) is may
        assert ("takes a key with the scope <code>admin</code>" in page) is not may


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "–"), (0, "0 bytes"), (1, "1 byte"), (1023, "1,023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"),
        (1023 * 1024, "1,023 KiB"), (GIB * 3 // 2, "1.5 GiB"), (2**50, "1,024 TiB"),
    ],
)  # fmt: skip
def test_sizes_are_read_in_their_unit(count: int | None, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("count", "number", "unit"),
    [(None, None, "GiB"), (GIB, 1, "GiB"), (1536, 1536, "bytes"), (3 * 1024, 3, "KiB"), (1, 1, "bytes")],
)
def test_a_limit_is_entered_without_a_rest(count: int | None, number: int | None, unit: str) -> None:
    assert in_largest_unit(count) == (number, unit)
