"""Curves and the best jobs on the command line: ranges, several jobs, any metric. With a real service."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.cli.command_for_tests import Ended, Run
from tests.client.real_service import real_service
from tests.jobs.stages_for_tests import with_aims
from tests.service.test_best import ended, trained

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LOSSES = [9.0, 7.5, 8.0, 0.1]


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with real_service(settings) as there:
        yield there


@pytest.fixture
def jobs(database: Database, settings: Settings) -> list[str]:
    """Two jobs with four and two losses; the first is the best by its loss, the second by its accuracy."""
    first = ended(database, settings, LOSSES, {"accuracy": [0.1, 0.2, 0.3, 0.4, 0.5]}, tags={"course": "w3"})
    second = ended(database, settings, [9.0, 0.25], {"accuracy": [0.0, 0.0, 0.75]})
    return [str(first), str(second)]


@pytest.fixture
def ask(run: Run, url: str) -> Run:
    def asked(*words: str) -> Ended:
        return run(*words, "--url", url)

    return asked


def test_a_range_of_losses_is_a_slice_with_its_steps(ask: Run, jobs: list[str], tmp_path: Path) -> None:
    assert ask("losses", jobs[0], "--from", "1", "--to", "3", "--csv").out == "step,loss\n1,7.5\n2,8.0\n"
    assert ask("losses", jobs[0], "--from", "-1", "--csv").out == "step,loss\n3,0.1\n"
    assert json.loads(ask("losses", jobs[0], "--to", "-2", "--json").out) == {"steps": [0, 1], "losses": [9.0, 7.5]}
    assert ask("losses", jobs[0], "--from", "2", "--npy", str(tmp_path / "l.npy")).status == 0
    assert np.load(tmp_path / "l.npy").tolist() == np.array(LOSSES, np.float32)[2:].tolist()
    drawn = ask("losses", jobs[0], "--from", "1").out.splitlines()
    assert drawn[-1].split() == ["1", "step", "3"]


def test_points_leave_out_what_a_chart_does_not_need(ask: Run, jobs: list[str]) -> None:
    assert json.loads(ask("losses", jobs[0], "--points", "2", "--json").out)["steps"] == [0, 3]
    assert ask("losses", jobs[0], "--points", "2", "--csv").out == "step,loss\n0,9.0\n3,0.1\n"


def test_the_curves_of_several_jobs_name_their_jobs(ask: Run, jobs: list[str]) -> None:
    first, second = jobs
    csv = ask("losses", first, second, "--from", "1", "--csv").out
    assert csv == f"job,step,loss\n{first},1,7.5\n{first},2,8.0\n{first},3,0.1\n{second},1,0.25\n"
    shown = json.loads(ask("losses", first, second, "--points", "2", "--json").out)
    assert shown == {"curves": [
        {"job": first, "steps": [0, 3], "losses": [9.0, 0.1]}, {"job": second, "steps": [0, 1], "losses": [9.0, 0.25]},
    ]}  # fmt: skip
    drawn = ask("losses", first, second).out.splitlines()
    assert [line for line in drawn if line in jobs] == jobs


def test_a_job_without_losses_says_so_beside_the_others(
    ask: Run, jobs: list[str], database: Database, settings: Settings
) -> None:
    failed = str(ended(database, settings, [1.0]))
    waiting = json.loads(ask("submit", "--stage", "nn", "--json").out)["id"]
    shown = ask("losses", failed, waiting)
    assert shown.err == f"{waiting}: no losses yet\n"
    assert failed in shown.out


def test_a_metric_of_one_job_or_of_several_ends_with_the_final_weights(
    ask: Run, jobs: list[str], tmp_path: Path
) -> None:
    first, second = jobs
    assert ask("metrics", first).out == "accuracy\n"
    shown = json.loads(ask("metrics", first, "accuracy", "--from", "-2", "--json").out)
    assert shown == {"steps": [3, 4], "values": [0.4, 0.5]}
    assert ask("metrics", first, "accuracy", "--npy", str(tmp_path / "a.npy")).status == 0
    assert np.load(tmp_path / "a.npy").tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    csv = f"job,step,value\n{first},4,0.5\n{second},2,0.75\n"
    assert ask("metrics", first, second, "accuracy", "--from", "-1", "--csv").out == csv
    assert ask("metrics", first, second, "--name", "accuracy", "--from", "-1", "--csv").out == csv
    assert "4" in ask("metrics", first, "accuracy").out.splitlines()[-1]
    assert ask("metrics", first, "accurcy").status == 2


@pytest.mark.parametrize("words", [
    ("--csv", "--json"), ("--npy", "x.npy", "--csv"), ("--npy", "x.npy", "--points", "5"), ("more", "--npy", "x.npy"),
])  # fmt: skip
def test_forms_that_do_not_go_together_are_refused(ask: Run, words: tuple[str, ...]) -> None:
    assert ask("losses", "some-job", *words).status == 2


def test_a_job_is_shown_with_its_metrics_in_numbers(ask: Run, jobs: list[str]) -> None:
    shown = " ".join(ask("show", jobs[0]).out.split())
    assert "accuracy 0.5 last, 0.1 lowest (step 0), 0.5 highest (step 4)" in shown
    assert "best the smallest last loss" in " ".join(ask("stages", "nn").out.split())


def test_the_best_of_all_jobs_are_asked_for_by_a_question_and_a_metric(ask: Run, jobs: list[str]) -> None:
    first, second = jobs
    assert ask("jobs", "best", "--ids").out.split() == [first, second]
    assert ask("jobs", "best", "--metric", "accuracy", "--mode", "max", "--ids").out.split() == [second, first]
    assert ask("jobs", "best", "--where", 'tags.course == "w3"', "--ids").out.split() == [first]
    table = ask("jobs", "best", "--metric", "accuracy", "--mode", "max").out
    assert "accuracy" in table.splitlines()[0]
    assert "0.75" in table
    assert json.loads(ask("jobs", "best", "-n", "1", "--json").out)[0]["id"] == first
    refused = ask("jobs", "best", "--metric", "accuracy")
    assert (refused.status, "/mode" in refused.err) == (2, True)
    assert ask("jobs", "best", "--where", "seed == 77").err == "no such job has succeeded yet\n"


def test_the_best_of_a_batch_are_shown_by_any_metric(
    ask: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ask("sweep", "--stage", "tensor", "--set", "steps=2", "--grid", "seed=1,2", "--no-wait").out.strip()
    for accuracy in (0.25, 0.5):
        trained(database, [9.0, accuracy], {"accuracy": [0.0, 0.0, accuracy]})
    first, second = ask("batches", "best", batch, "--ids").out.split()
    assert ask("batches", "best", batch, "--metric", "accuracy", "--mode", "max", "--ids").out.split() == [
        second,
        first,
    ]
    with_aims(monkeypatch, tensor=("accuracy", "max"))
    for words in (("batches", "show", batch), ("batches", "watch", batch), ("batches", "best", batch)):
        shown = ask(*words)
        assert shown.status == 0, shown.err
        assert "accuracy" in shown.out
        assert shown.out.index(second) < shown.out.index(first)
    by_loss = ask("batches", "watch", batch, "--metric", "loss", "--json").out.splitlines()[-1]
    assert [job["id"] for job in json.loads(by_loss)["jobs"]] == [first, second]


def test_a_batch_whose_stages_differ_is_shown_without_its_best(
    ask: Run, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_aims(monkeypatch, tensor=("accuracy", "max"))
    spec = tmp_path / "spec.json"
    spec.write_text('{"stage": "tensor", "steps": 2}')
    batch = ask("sweep", str(spec), "--grid", "stage=tensor,nn", "--no-wait").out.strip()
    for _ in range(2):
        trained(database, [9.0, 1.0], {"accuracy": [0.0, 0.0, 0.5]})
    shown = ask("batches", "show", batch)
    assert (shown.status, "2 succeeded" in shown.out) == (0, True)
    assert "no best jobs: " in shown.err
    assert "say metric and mode" in shown.err
