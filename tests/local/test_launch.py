"""What the processes of a stack are told: a database URL means one file, whatever letters its path has."""

from pathlib import Path

import pytest
from sqlalchemy.engine import URL, make_url

from gradyard.jobs.settings import load
from gradyard.local.launch import absolute

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
