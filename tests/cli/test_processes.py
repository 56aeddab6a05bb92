"""`gradyard worker` and `gradyard api` name the database that they use, and refuse one without tables."""

import os
from pathlib import Path

import pytest

from tests.cli.command_for_tests import Run

PARTS = [("worker",), ("api",), ("maintain",)]


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.mark.parametrize("words", PARTS)
@pytest.mark.parametrize("there", ["nothing", "an empty file", "no database"])
def test_a_part_without_a_database_refuses_to_start(
    run: Run, tmp_path: Path, words: tuple[str, ...], there: str
) -> None:
    file = tmp_path / "odd ?#%" / "gradyard.db"
    if there != "nothing":
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
