"""The command that writes jobs with their curves, on a real service."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.cli.command_for_tests import Run
from tests.client.real_service import real_service
from tests.client.service_for_tests import Said, answering

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def url(database: Database, settings: Settings) -> Iterator[str]:
    """A service with a job that has ended and one that waits."""
    submitted(database, settings, stage="optim", learning_rate=0.25)
    succeeds(database, claimed(database, worker_of(database)))
    submitted(database, settings, stage="nn")
    with real_service(settings) as there:
        yield there


@on_sqlite
def test_the_ending_of_a_file_says_its_form(run: Run, url: str, tmp_path: Path) -> None:
    file = tmp_path / "curves.parquet"
    where = 'stage == "optim"'
    ended = run("jobs", "export", "--where", where, "--curves", "list", "-o", str(file), "--url", url)
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    table = parquet.read_table(file)
    assert table["losses"].to_pylist() == [[4.0, 3.0, 2.0, 1.0]]
    assert table["learning_rate"].to_pylist() == [0.25]
    assert run("jobs", "export", "--out", str(tmp_path / "jobs.csv"), "--url", url).status == 0
    assert len((tmp_path / "jobs.csv").read_text().splitlines()) == 3
    assert run("jobs", "export", "--form", "parquet", "--out", str(tmp_path / "jobs"), "--url", url).status == 0
    assert len(parquet.read_table(io.BytesIO((tmp_path / "jobs").read_bytes()))) == 2


@on_sqlite
def test_lines_go_to_the_output_one_for_each_job(run: Run, url: str) -> None:
    ended = run("jobs", "export", "--url", url)
    assert [json.loads(line)["stage"] for line in ended.out.splitlines()] == ["optim", "nn"]
    assert run("jobs", "export", "--form", "csv", "--url", url).out.count("\n") == 3
    long = run("jobs", "export", "--form", "csv", "--curves", "long", "--url", url).out.splitlines()
    assert [line.split(",")[-2:] for line in long[1:]] == [["0", "4.0"], ["1", "3.0"], ["2", "2.0"], ["3", "1.0"]]


@on_sqlite
def test_a_pipe_gets_the_bytes_of_parquet(url: str) -> None:
    command = [sys.executable, "-m", "gradyard", "jobs", "export", "--form", "parquet", "--url", url]
    ended = subprocess.run(command, capture_output=True, check=True)
    assert len(parquet.read_table(io.BytesIO(ended.stdout))) == 2


@on_sqlite
def test_a_wrong_question_is_told_and_no_file_is_left(run: Run, url: str, tmp_path: Path) -> None:
    ended = run("jobs", "export", "--where", "los_min < 9", "-o", str(tmp_path / "x.csv"), "--url", url)
    assert ended.status == 2
    assert 'did you mean "loss_min"' in ended.err
    assert not (tmp_path / "x.csv").exists()


@on_sqlite
def test_two_forms_at_once_are_refused(run: Run, url: str) -> None:
    assert "choose one of" in run("export", "x", "--csv", "--form", "arrow", "--url", url).err
    assert "choose one of" in run("jobs", "export", "--json", "--form", "csv", "--url", url).err


def test_a_batch_is_exported_as_before_or_in_a_form(run: Run, tmp_path: Path) -> None:
    with answering(Said(200, b"x\n")) as service:
        run("export", "b", "--url", service.url)
        run("export", "b", "--csv", "--url", service.url)
        run("batches", "export", "b", "-o", str(tmp_path / "b.parquet"), "--url", service.url)
        run("batches", "export", "b", "--curves", "none", "--where", "seed == 1", "--url", service.url)
    asked = [(each.headers["Accept"], each.params) for each in service.asked]
    assert asked == [
        ("application/x-ndjson", {}), ("text/csv", {}), ("application/vnd.apache.parquet", {"curves": "list"}),
        ("application/x-ndjson", {"curves": "none", "where": "seed == 1"}),
    ]  # fmt: skip
