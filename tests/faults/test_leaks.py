"""The checker finds a secret in any log and any table of a run (I17)."""

from pathlib import Path

import pytest

from gradyard.jobs.api_keys import digest_of
from gradyard.jobs.audit import Action
from gradyard.jobs.settings import Settings
from gradyard.store import audit, page_sessions
from gradyard.store.database import Database
from tests.actors import submitted
from tests.faults import canaries
from tests.faults.checker import Verdict
from tests.faults.leaks import check_canaries
from tests.store.webhooks.webhooks_for_tests import SECRET, webhook_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MADE = {
    "the key of the project physics": "gy_canary",
    "the cookie of a session of the page": "c00kie_canary",
    "the secret of a webhook": "whsec_canary",
}


def found(folder: Path, database: Database, made: dict[str, str] = MADE) -> list[str]:
    verdict = Verdict()
    check_canaries(verdict, folder, database, made)
    return verdict.violations["I17"]


def test_logs_without_secrets_pass(tmp_path: Path, database: Database) -> None:
    (tmp_path / "api.log").write_text("GET /v1/jobs 200\n")
    assert found(tmp_path, database) == []


@pytest.mark.parametrize(
    ("secret", "name"),
    [
        (canaries.ADMIN_KEY, "the administrator's key"),
        (canaries.DATABASE_PASSWORD, "the password of the database"),
        (canaries.REDIS_PASSWORD, "the password of Redis"),
        *((word, what) for what, word in MADE.items()),
    ],
    ids=["admin", "database", "redis", "project", "session", "webhook"],  # secrets are new in each test process
)
@pytest.mark.parametrize("log", ["api.log", "host.log", "state/logs/workers.log.1"])
def test_a_secret_is_found_and_named(tmp_path: Path, database: Database, secret: str, name: str, log: str) -> None:
    (tmp_path / "api.log").write_text("GET /v1/jobs 200\n")
    (tmp_path / log).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / log).write_text(f"cannot connect to postgresql://postgres:{secret}@host\n")
    assert found(tmp_path, database) == [f"{name} stands in {log}"]


def test_a_secret_in_a_table_is_found_and_named(tmp_path: Path, database: Database, settings: Settings) -> None:
    (tmp_path / "api.log").write_text("GET /v1/jobs 200\n")
    job_id = submitted(database, settings, name="gy_canary", tags={"cookie": "of c00kie_canary"})
    with database.begin() as connection:
        audit.note(
            connection, Action.WEBHOOK_CREATED, str(job_id), project_id=1, actor="api", detail="it is whsec_canary"
        )
    assert sorted(found(tmp_path, database)) == [
        "the cookie of a session of the page stands in the table job_tags",
        "the cookie of a session of the page stands in the table jobs",
        "the key of the project physics stands in the table jobs",
        "the key of the project physics stands in the table summaries",
        "the secret of a webhook stands in the table audit",
    ]


def test_a_secret_may_stand_where_it_is_kept_and_hashed(tmp_path: Path, database: Database) -> None:
    (tmp_path / "api.log").write_text("GET /v1/jobs 200\n")
    webhook_of(database)
    with database.begin() as connection:
        page_sessions.open_session(
            connection, digest_of("c00kie_canary"), key_id=None, admin_check="f" * 64, idle_seconds=60.0
        )
    assert found(tmp_path, database, MADE | {"the secret of a webhook": SECRET}) == []


def test_a_secret_that_was_never_made_is_no_proof(tmp_path: Path, database: Database) -> None:
    (tmp_path / "api.log").write_text("GET /v1/jobs 200\n")
    assert found(tmp_path, database, {"the secret of a webhook": ""}) == ["the secret of a webhook was never made"]


def test_a_run_without_a_log_is_no_proof(tmp_path: Path, database: Database, settings: Settings) -> None:
    assert found(tmp_path, database) == ["the API has no log to look into"]
