"""The checker finds a secret in any log of a run (I17)."""

from pathlib import Path

import pytest

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.faults import canaries
from tests.faults.checker import Verdict
from tests.faults.leaks import check_canaries

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

KEYS = {"the key of the project physics": "gy_canary"}


def found(folder: Path, database: Database) -> list[str]:
    verdict = Verdict()
    check_canaries(verdict, folder, database, KEYS)
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
        ("gy_canary", "the key of the project physics"),
    ],
    ids=["admin", "database", "redis", "project"],  # secrets are new in each test process
)
@pytest.mark.parametrize("log", ["api.log", "host.log", "state/logs/workers.log.1"])
def test_a_secret_is_found_and_named(tmp_path: Path, database: Database, secret: str, name: str, log: str) -> None:
    (tmp_path / "api.log").write_text("GET /v1/jobs 200\n")
    (tmp_path / log).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / log).write_text(f"cannot connect to postgresql://postgres:{secret}@host\n")
    assert found(tmp_path, database) == [f"{name} stands in {log}"]


def test_a_run_without_a_log_is_no_proof(tmp_path: Path, database: Database, settings: Settings) -> None:
    assert found(tmp_path, database) == ["the API has no log to look into"]
