"""`gradyard worker` and `gradyard api` name the database that they use, and refuse one without tables."""

import os
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.command_for_tests import Run
from tests.servers import PostgresServer

PARTS = [("worker",), ("api",), ("maintain",)]


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.mark.parametrize("words", PARTS)
@pytest.mark.parametrize("there", ["nothing", "an empty file", "no database", "no tables any more"])
def test_a_part_without_a_database_refuses_to_start(
    run: Run, tmp_path: Path, words: tuple[str, ...], there: str
) -> None:
    file = tmp_path / "odd ?#%" / "gradyard.db"
    if there == "no tables any more":
        assert run("--state-dir", str(file.parent), "db", "upgrade").status == 0
        assert run("--state-dir", str(file.parent), "db", "downgrade", "base").status == 0
    elif there != "nothing":
        file.parent.mkdir()
        file.write_bytes(b"" if there == "an empty file" else b"text")
    ended = run(*words, "--state-dir", str(file.parent))
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    for text in ("DATABASE_URL is not set", str(file), "`gradyard up`", "`gradyard db upgrade`"):
        assert text in ended.err
    assert file.exists() == (there != "nothing")


@pytest.mark.parametrize("words", PARTS)
def test_a_part_without_database_url_says_which_file_it_uses(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    started: list[dict[str, str]] = []

    def replace(path: str, command: list[str], environment: dict[str, str]) -> None:
        started.append(environment)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", replace)
    monkeypatch.chdir(tmp_path)  # the command changes the folder
    folder = tmp_path / "a state"
    assert run("--state-dir", str(folder), "db", "upgrade").status == 0
    ended = run(*words, "--state-dir", str(folder))
    assert ended.err == f"gradyard: DATABASE_URL is not set; the database is {folder / 'gradyard.db'}\n"
    assert started[0]["GRADYARD_STATE_DIR"] == str(folder)


@pytest.mark.parametrize("words", PARTS)
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///{}/empty.db", "holds no tables; `gradyard db upgrade` makes them"),
        ("sqlite:///{}/missing.db", "holds no tables; `gradyard db upgrade` makes them"),
        ("sqlite:///{}/downgraded.db", "holds no tables; `gradyard db upgrade` makes them"),
        ("sqlite://", ":memory: holds no tables"),
        ("nonsense", "use sqlite:///FILE or postgresql://USER@HOST/NAME"),
        ("", "use sqlite:///FILE or postgresql://USER@HOST/NAME"),
        ("mysql://here/gradyard", "DATABASE_URL: "),
    ],
)
def test_a_database_url_without_tables_is_one_line_at_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], url: str, said: str
) -> None:
    (tmp_path / "empty.db").touch()
    monkeypatch.setenv("DATABASE_URL", url.format(tmp_path))
    if "downgraded" in url:
        assert (run("db", "upgrade").status, run("db", "downgrade", "base").status) == (0, 0)
    ended = run(*words)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("gradyard: DATABASE_URL: ")
    assert said in ended.err
    assert not (tmp_path / "missing.db").exists()


@pytest.mark.parametrize("tables", ["head", "base"])
def test_a_postgresql_without_tables_is_refused_and_one_with_them_is_taken(
    run: Run, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer, tables: str
) -> None:
    name = f"test_{uuid4().hex}"
    monkeypatch.setenv("DATABASE_URL", postgres.clone(name))
    monkeypatch.setattr(os, "execve", taken)
    if tables == "base":
        assert run("db", "downgrade", "base").status == 0
    ended = run("worker")
    postgres.drop(name)
    assert ended.status == (2 if tables == "base" else 0), ended.err
    assert ended.err.endswith("holds no tables; `gradyard db upgrade` makes them\n") == (tables == "base")


def test_a_postgresql_that_is_away_is_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://gradyard@127.0.0.1:1/gradyard")
    monkeypatch.setattr(os, "execve", taken)
    assert (run("maintain").status, run("maintain").err) == (0, "")


def taken(path: str, command: list[str], environment: dict[str, str]) -> None:
    """In the place of `os.execve`: the command has found nothing wrong."""
    raise SystemExit(0)
