"""What the processes of a stack are told: a database URL means one file, whatever letters its path has."""

from pathlib import Path

import pytest
from sqlalchemy.engine import URL, make_url

from gradyard.jobs.settings import load
from gradyard.local.launch import absolute, api_environment, redis_environment, worker_environment

FOLDERS = (
    "plain",
    "with space",
    "a?b",
    "100%20",
    "50%",
    "#1",
    "it's",
    'a "quoted" one',
    "é日本",
    "a[1]*",
    "+",
    "@:&=;",
)


@pytest.mark.parametrize("name", FOLDERS)
def test_the_database_of_a_state_folder_is_in_it(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    url = load(state_dir=folder, database_url=None).database
    assert make_url(url).database == str(folder / "gradyard.db")
    assert url == URL.create("sqlite", database=str(folder / "gradyard.db")).render_as_string()
    assert absolute(url) == url


@pytest.mark.parametrize("name", FOLDERS)
def test_a_relative_database_url_is_made_absolute(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    relative = URL.create("sqlite", database=f"{name}/x.db", query={"timeout": "5"}).render_as_string()
    made = make_url(absolute(relative))
    assert (made.database, dict(made.query)) == (str(tmp_path / name / "x.db"), {"timeout": "5"})


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true", "postgresql://u:p%40@h/n", "nonsense"]
)
def test_other_urls_stay_as_they_are(url: str) -> None:
    assert absolute(url) == url


def test_a_key_is_in_the_environment_of_the_api_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("gradyard_key", "canary-of-a-client")  # settings are read in any case
    monkeypatch.setenv("GRADYARD_ADMIN_KEY", "canary-of-the-administrator")
    settings = load(database_url="sqlite:///x.db")
    api, worker, redis = api_environment(settings), worker_environment(settings), redis_environment()
    assert [name for name, value in api.items() if "canary" in value] == ["GRADYARD_ADMIN_KEY"]
    assert "canary" not in str(worker)
    assert not {"DATABASE_URL", "REDIS_URL", "GRADYARD_ADMIN_KEY"} & set(redis)
    assert worker["DATABASE_URL"] == api["DATABASE_URL"] == absolute("sqlite:///x.db")
