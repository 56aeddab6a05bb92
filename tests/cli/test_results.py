"""Compare jobs, train one again and compare bits, change values of a retry, print a receipt."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_for_tests import Run
from tests.client.service_for_tests import Asked, FakeService, Said, job, problem, result, stream

LOSSES = {"first": 9.0, "last": 5.0, "min": 4.0, "min_step": 7, "diverged_at": None}
SPEC = {"stage": "optim", "dataset": {"kind": "function", "points": 100}, "optimizer": {"name": "sgd", "momentum": 0.5}}
METRICS = {"acc": {"last": 0.5, "last_step": 9, "min": 0.25, "min_step": 0, "max": 0.75, "max_step": 5}}
JOBS: dict[str, dict[str, Any]] = {
    "one": job(id="one", state="succeeded", name="$mine", resolved={"learning_rate": 1e-7},
               result=result(loss=LOSSES, metrics=METRICS),
               spec=SPEC | {"learning_rate": "auto", "tags": {"who": "a"}}),
    "two": job(id="two", state="succeeded", result=result(), resolved={"learning_rate": 1e-7},
               spec=SPEC | {"learning_rate": 1e-7, "optimizer": {"name": "adam"}}),
    "runs": job(id="runs", state="running", spec=SPEC, steps_done=12),
    "waits": job(id="waits", spec={"stage": "nn", "dataset": {"kind": "inline", "x": [0.0] * 9}}),
}  # fmt: skip
CURVES = {"one": [9.0, 6.0, 5.0], "two": [9.0, 5.0, 3.0], "runs": [9.5, 9.0], "waits": []}


def respond(asked: Asked) -> Said:
    if asked.path == "/v1/losses":
        curves = [{"job": job_id, "steps": list(range(len(each))), "losses": each} for job_id, each in CURVES.items()]
        return Said(200, {"curves": curves})
    return Said(200, JOBS[asked.path.rpartition("/")[2]])


@pytest.fixture
def url() -> Any:
    with FakeService(respond).running() as service:
        yield service.url


def test_jobs_are_compared_by_curve_figures_parameters_and_coefficients(run: Run, url: str) -> None:
    ended = run("compare", "one", "two", "runs", "waits", "--url", url)
    assert (ended.status, ended.err) == (0, "D: no losses yet\n")
    lines = ended.out.splitlines()
    [best] = [line for line in lines if " best" in line]
    assert best.split()[:2] == ["B", "two"]
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.strip()}
    assert rows["optimizer.name"] == ["sgd", "adam", "sgd", "-"]
    assert rows["optimizer.momentum"] == ["0.5", "-", "0.5", "-"]
    assert rows["learning_rate"] == ["1e-07", "1e-07", "-", "-"]  # as it was trained, also where `auto` was asked
    assert rows["dataset.x"] == ["-", "-", "-", "9", "values"]
    assert rows["a"] == ["1.0", "1.0", "-", "-"]
    assert rows["acc.max"] == ["0.75", "-", "-", "-"]
    assert [line for line in lines if "AAA" in line]
    assert "environment.device" not in rows


def test_a_comparison_fits_a_narrow_terminal(run: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradyard.cli.terminal.PLAIN_WIDTH", 40)
    ended = run("jobs", "compare", "one", "two", "--url", url)
    chart = ended.out.partition("\n\n")[0]
    assert max(map(len, chart.splitlines())) == 40


def test_scripts_get_the_whole_comparison(run: Run, url: str) -> None:
    found = json.loads(run("compare", "one", "two", "--json", "--url", url).out)
    assert [(each["id"], each["best"], each["loss"]["last"]) for each in found["jobs"]] == [
        ("one", False, 5.0), ("two", True, 3.0),
    ]  # fmt: skip
    assert found["parameters"] == {
        "optimizer.name": ["sgd", "adam"], "optimizer.momentum": [0.5, None], "tags.who": ["a", None]
    }  # fmt: skip
    assert found["coefficients"] == {"a": [1.0, 1.0], "b": [2.0, 2.0]}
    assert found["losses"][0] == {"steps": [0, 1, 2], "losses": [9.0, 6.0, 5.0]}


def test_the_curves_are_written_as_a_picture(run: Run, url: str, tmp_path: Path) -> None:
    picture = tmp_path / "losses.png"
    ended = run("compare", "one", "two", "waits", "--png", str(picture), "--url", url)
    assert (ended.status, "written to" in ended.err) == (0, True)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_picture_without_matplotlib_names_the_extra(
    run: Run, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ended = run("compare", "one", "two", "--png", str(tmp_path / "losses.png"), "--url", url)
    assert (ended.status, "pip install 'gradyard[plot]'" in ended.err) == (2, True)
    assert list(tmp_path.glob("*.png")) == []


def test_two_to_ten_different_jobs_are_compared(run: Run, url: str) -> None:
    assert (run("compare", "one", "--url", url).status, run("compare", *["one"] * 11, "--url", url).status) == (2, 2)
    ended = run("compare", "one", "one", "--url", url)
    assert (ended.status, "named twice" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("which", "words"), [({"recheck_of": "x"}, "of x, differs"), ({"rechecked_by": "y"}, "by y, differs")]
)
def test_a_job_is_shown_with_what_its_recheck_has_shown(run: Run, which: dict[str, str], words: str) -> None:
    found = {"of": "x", "job": "y", "state": "differs", "first_different_step": 3, "differs_in": ["losses"],
             "conditions": {}, "message": "losses differ, first at step 3"}  # fmt: skip
    answers = {"x": job(recheck=found, **which), "events": {"events": []}}
    with FakeService(lambda asked: Said(200, answers[asked.path.rpartition("/")[2]])).running() as service:
        assert f"{words}: losses differ, first at step 3" in run("show", "x", "--url", service.url).out


RECHECK: dict[str, Any] = {"first_different_step": None, "differs_in": [], "conditions": {}, "message": "told"}


def rechecking(*states: str) -> FakeService:
    """A service whose rechecks of `0`, `1`, … end in these states."""

    def answer(asked: Asked) -> Said:
        job_id = asked.path.split("/")[3]
        if asked.method == "POST":
            return Said(202, job(id=f"again-{job_id}", recheck_of=job_id))
        of = job_id.removeprefix("again-")
        found = RECHECK | {"of": of, "job": job_id, "state": states[int(of)]}
        ended = job(id=job_id, state="succeeded", recheck_of=of, recheck=found)
        return stream(ended=ended) if asked.headers.get("Accept") == "text/event-stream" else Said(200, ended)

    return FakeService(answer)


@pytest.mark.parametrize(
    ("states", "status"), [(["same"], 0), (["same", "differs"], 1), (["cannot be compared"], 1), (["same", "same"], 0)]
)
def test_a_recheck_says_what_came_of_it_and_its_exit_status_tells(run: Run, states: list[str], status: int) -> None:
    ids = [str(index) for index in range(len(states))]
    with rechecking(*states).running() as service:
        ended = run("recheck", *ids, "--wait", "--url", service.url)
        as_json = run("jobs", "recheck", *ids, "--wait", "--json", "--url", service.url)
    assert (ended.status, as_json.status) == (status, status)
    assert ended.out == "".join(f"{index} {state}: told\n" for index, state in enumerate(states))
    assert [each["state"] for each in json.loads(as_json.out)] == states


def test_a_recheck_without_a_wait_prints_the_new_id(run: Run) -> None:
    with rechecking("same").running() as service:
        assert run("recheck", "0", "--url", service.url).out == "again-0\n"
        assert run("recheck", "--url", service.url).status == 0
    with FakeService(lambda _: problem(409, "no", "it is running")).running() as service:
        ended = run("recheck", "0", "--url", service.url)
    assert (ended.status, "it is running" in ended.err) == (1, True)


def test_a_retry_sends_the_values_that_are_set(run: Run) -> None:
    with FakeService(lambda _: Said(202, job(id="new"))).running() as service:
        ended = run("retry", "x", "--set", "learning_rate=1e-7", "--set", "optimizer=adam", "--url", service.url)
        twice = run("retry", "x", "--set", "seed=1", "--set", "seed=2", "--url", service.url)
        plain = run("retry", "x", "--url", service.url)
    assert (ended.out, plain.out) == ("new\n", "new\n")
    assert [asked.body for asked in service.asked] == [
        b'{"set": {"learning_rate": 1e-07, "optimizer": {"name": "adam"}}}', b"",
    ]  # fmt: skip
    assert (twice.status, "give the same parameter" in twice.err) == (2, True)


def test_a_batch_is_retried_with_values_that_are_set(run: Run) -> None:
    with FakeService(lambda _: Said(202, {"id": "b", "retried": 2, "size": 3})).running() as service:
        run("batches", "retry", "b", "--cancelled", "--set", "seed=1", "--url", service.url)
    assert json.loads(service.asked[0].body) == {"states": ["failed", "cancelled"], "set": {"seed": 1}}


def test_a_receipt_is_printed_as_the_service_wrote_it(run: Run) -> None:
    curve = {"dtype": "<f4", "count": 2, "sha256": "c0"}
    receipt: dict[str, Any] = dict.fromkeys(("reason", "diverged_at", "environment"))
    receipt |= dict.fromkeys(("job", "stage", "engine", "spec_sha256", "resolved_sha256", "sha256"), "x")
    receipt |= {"coefficients_sha256": None, "scaled_coefficients_sha256": None, "dataset": {}, "times": {"a": "b"}}
    receipt |= {"state": "succeeded", "receipt": 1, "numerics_version": 1, "steps_done": 2, "attempts": 1}
    receipt |= {"losses": curve, "metrics": {"é": curve}, "artifacts": {}, "newer": [1]}
    canonical = json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with FakeService(lambda _: Said(200, canonical.encode())).running() as service:
        ended = run("receipt", "x", "--url", service.url)
    assert (ended.status, ended.out) == (0, canonical)
