"""The `gradyard` command: its output on stdout and stderr, and its exit status."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command_for_tests import DONE, Run, service
from tests.client.service_for_tests import JOB_ID, Said, answering, job, problem


def test_submit_prints_the_id_alone_and_warnings_beside_it(run: Run) -> None:
    with service().running() as running:
        ended = run("submit", "--stage", "nn", "--set", "learning_rate=1e-2", "--set", "name=a=b", "--url", running.url)
    assert (ended.status, ended.out) == (0, JOB_ID + "\n")
    assert ended.err == "warning: /learning_rate: is high\n"
    assert json.loads(running.asked[0].body) == {"stage": "nn", "learning_rate": 0.01, "name": "a=b"}


def test_a_parameter_inside_a_part_is_sent_alone_and_the_service_knows_the_rest(run: Run) -> None:
    with service().running() as running:
        run("submit", "--stage", "nn", "--set", "dataset.points=100", "--url", running.url)
    assert json.loads(running.asked[-1].body)["dataset"] == {"points": 100}


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_a_spec_comes_from_a_file_or_stdin_and_options_go_over_it(run: Run, tmp_path: Path, source: str) -> None:
    (tmp_path / "spec.json").write_text('{"stage": "nn", "steps": 5, "seed": 1}')
    name, stdin = (
        (str(tmp_path / "spec.json"), "") if source == "file" else ("-", '{"stage": "nn", "seed": 1, "steps": 5}')
    )
    with service().running() as running:
        assert run("submit", name, "--set", "seed=7", "--url", running.url, stdin=stdin).status == 0
    assert json.loads(running.asked[0].body) == {"stage": "nn", "steps": 5, "seed": 7}


def test_a_word_that_is_no_file_is_a_stage(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "optim").write_text('{"stage": "nn", "seed": 3}')
    with service().running() as running:
        assert run("submit", "tensor", "--set", "seed=7", "--url", running.url).status == 0
        assert run("submit", "optim", "--url", running.url).status == 0
    bodies = [json.loads(each.body) for each in running.asked]
    assert bodies == [{"stage": "tensor", "seed": 7}, {"stage": "nn", "seed": 3}]


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (("nn", "--stage", "optim"), "", "--stage optim and nn give the same parameter"),
        ((), "", "nothing to submit"),
        (("nowhere.json",), "", "nowhere.json cannot be read (No such file or directory)"),
        (("-",), "{", "stdin holds no JSON"),
        (("-",), "[]", "stdin holds no job spec"),
        (("--stage", "nn", "--set", "steps"), "", "write it as name=value"),
        (("--set", "a=1", "--set", "a.b=2"), "", "a is not an object"),
    ],
)
def test_wrong_usage_gets_one_line(run: Run, arguments: tuple[str, ...], stdin: str, message: str) -> None:
    ended = run("submit", *arguments, stdin=stdin)
    assert ended.status == 2
    assert message in ended.err
    assert ended.err.startswith("gradyard: ")
    assert ended.err.count("\n") == 1


def test_waiting_shows_the_outcome_and_its_status(run: Run) -> None:
    with service().running() as running:
        ended = run("submit", "--stage", "nn", "--wait", "--url", running.url)
    assert (ended.status, ended.out) == (0, f"{JOB_ID}\nsucceeded in 250 ms: y = 1.25 + -0.5 x\n")
    assert "nn        succeeded y = 1.25 + -0.5 x" in ended.err
    assert "\x1b" not in ended.err + ended.out


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_watching_a_job_that_does_not_succeed_ends_with_1(run: Run, state: str) -> None:
    finished = job(state=state, reason="diverged", message="the loss of step 7 is not finite", steps_done=7)
    with service(**{JOB_ID: finished}).running() as running:
        ended = run("watch", JOB_ID, "--url", running.url)
        as_json = run("watch", JOB_ID, "--json", "--url", running.url)
    assert (ended.status, as_json.status) == (1, 1)
    assert ended.out.startswith(state)
    assert (json.loads(as_json.out)["event"], json.loads(as_json.out)["state"]) == ("ended", state)


def test_a_refusal_ends_with_2_and_an_unreachable_service_with_3(run: Run) -> None:
    with answering(problem(404, "There is no such thing", f"there is no job {JOB_ID}")) as running:
        refused = run("show", JOB_ID, "--url", running.url)
    gone = run("jobs", "--url", running.url)
    assert (refused.status, refused.err) == (2, f"gradyard: there is no job {JOB_ID} (404)\n")
    assert gone.status == 3
    assert gone.err.count("\n") == 1
    assert "`gradyard up` starts a service" in gone.err


def test_a_missing_key_says_how_to_give_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(problem(401, "Unauthorized", "send the service's key")) as running:
        assert "--key or GRADYARD_KEY" in run("queues", "--url", running.url).err
        monkeypatch.setenv("GRADYARD_KEY", "k")
        run("queues", "--url", running.url)
    assert running.asked[-1].headers["Authorization"] == "Bearer k"


def test_the_admin_key_goes_to_our_own_service_and_never_to_a_url_named_by_hand(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADYARD_ADMIN_KEY", "secret")
    with service().running() as running:
        run("jobs", "--url", running.url)
        monkeypatch.setenv("GRADYARD_URL", running.url)
        run("jobs")
    assert [asked.headers.get("Authorization") for asked in running.asked] == [None, "Bearer secret"]


def test_no_key_of_the_environment_goes_to_the_usual_url_where_none_of_ours_listens(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADYARD_ADMIN_KEY", "secret")
    monkeypatch.setenv("GRADYARD_KEY", "mine")
    with answering(problem(401, "Unauthorized", "send a key")) as stranger:
        monkeypatch.setattr("gradyard.client.endpoint.CONVENTIONAL_URL", stranger.url)
        ended = run("queues")
    assert [asked.headers.get("Authorization") for asked in stranger.asked] == [None]
    assert "GRADYARD_URL" in ended.err


MADE = {
    "id": JOB_ID, "name": "ada", "project": "physics", "hint": "gradyard_5xA9Qd", "state": "live",
    "scopes": ["jobs:read", "jobs:write"], "created_at": "2026-11-23T09:00:00Z", "created_by": "api",
    "expires_at": None, "revoked_at": None,
}  # fmt: skip


def test_a_new_key_stands_alone_on_stdout(run: Run) -> None:
    with answering(Said(201, MADE | {"key": "gradyard_5xA9QdXX"})) as running:
        ended = run("keys", "create", "ada", "--project", "physics", "--scope", "jobs:read", "--url", running.url)
    assert (ended.status, ended.out) == (0, "gradyard_5xA9QdXX\n")
    assert ended.err == "ada may jobs:read, jobs:write in the project physics:\n"
    assert json.loads(running.asked[0].body) == {"name": "ada", "project": "physics", "scopes": ["jobs:read"]}


def test_keys_are_a_table_and_are_revoked_by_id(run: Run) -> None:
    keys = [MADE, MADE | {"state": "expired", "expires_at": "2026-11-24T09:30:00Z"}]
    with answering(Said(200, {"keys": keys})) as running:
        table = run("keys", "list", "--url", running.url).out
        as_json = json.loads(run("keys", "list", "--json", "--url", running.url).out)
        revoked = run("keys", "revoke", JOB_ID, "--url", running.url)
    assert table.count("gradyard_5xA9Qd…") == table.count("physics") == table.count(JOB_ID) == 2
    assert "2026-11-24 09:30 UTC" in table
    assert [each["state"] for each in as_json] == ["live", "expired"]
    assert (revoked.status, revoked.out) == (0, f"{JOB_ID} revoked\n")


def test_a_rotated_key_stands_alone_on_stdout(run: Run) -> None:
    with answering(Said(201, MADE | {"key": "gradyard_5xA9QdXX"})) as running:
        ended = run("keys", "rotate", JOB_ID, "--overlap-hours", "48", "--url", running.url)
    assert (ended.status, ended.out) == (0, "gradyard_5xA9QdXX\n")
    assert "the old one expires in 48 hours" in ended.err
    assert json.loads(running.asked[0].body) == {"overlap_hours": 48.0}


def test_the_project_of_an_operator_stands_before_or_after_the_verb_and_a_new_key_has_its_own(run: Run) -> None:
    with answering(Said(200, {"jobs": [], "next_cursor": None})) as running:
        run("--project", "physics", "jobs", "--url", running.url)
        run("jobs", "list", "--project", "physics", "--url", running.url)
    assert [asked.params["project"] for asked in running.asked] == ["physics", "physics"]
    with answering(Said(201, MADE | {"key": "gradyard_5xA9QdXX"})) as running:
        run("keys", "create", "ada", "--project", "physics", "--url", running.url)
    assert (running.asked[0].params, json.loads(running.asked[0].body)["project"]) == ({}, "physics")


def test_the_audit_is_a_table_or_json(run: Run) -> None:
    entry = {"id": JOB_ID, "at": "2026-11-23T09:00:00Z", "actor": "api:ops@default", "project": "default"}
    entry |= {"action": "drained", "target": "cpu-0@host", "detail": "new disk"}
    with answering(Said(200, {"entries": [entry], "next_cursor": None})) as running:
        table = run("audit", "--url", running.url).out
        as_json = json.loads(run("audit", "--action", "drained", "--json", "--url", running.url).out)
    assert all(each in table for each in ("drained", "cpu-0@host", "api:ops@default", "new disk"))
    assert as_json[0]["target"] == "cpu-0@host"


def test_no_key_yet_says_how_to_make_one(run: Run) -> None:
    with answering(Said(200, {"keys": []})) as running:
        assert run("keys", "list", "--url", running.url).out == (
            "there is no key yet; `gradyard keys create NAME` creates one\n"
        )


def test_jobs_are_a_table_with_whole_ids_or_json_or_ids(run: Run) -> None:
    with service().running() as running:
        table = run("jobs", "--url", running.url).out
        as_json = json.loads(run("jobs", "--json", "--url", running.url).out)
        ids = run("jobs", "--ids", "--url", running.url).out
    assert table.count(JOB_ID) == 2
    assert "0 / 2,000" in table
    unsaid = {"tags": {}, "precedence": 0, "priority": 0, "pinned": False}  # by a service of an older version
    unsaid |= {"recheck": None, "recheck_of": None, "rechecked_by": None, "depends_on": None}
    assert as_json[0] == DONE | unsaid | {"submitted_at": as_json[0]["submitted_at"]}
    assert ids == f"{JOB_ID}\n{JOB_ID}\n"


def test_names_cannot_control_the_terminal(run: Run) -> None:
    evil = job(
        name="a\x1b[2Jb\u202ec [red]d[/red]",
        state="failed",
        message="\x1b[1m",
        spec={"stage": "nn", "pool": "\x07"},
        tags={"\x07": "\r"},
    )
    with service(**{JOB_ID: evil, "jobs": {"jobs": [evil], "next_cursor": None}}).running() as running:
        printed = run("show", JOB_ID, "--url", running.url).out + run("jobs", "--url", running.url).out
    assert not {"\x1b", "\u202e", "\x07", "\r"} & set(printed)
    assert printed.count("c [red]d[/red]") == 2


def test_no_jobs_are_a_sentence(run: Run) -> None:
    with service(jobs={"jobs": [], "next_cursor": None}).running() as running:
        assert "there are no jobs yet" in run("jobs", "--url", running.url).out


def test_show_has_spec_result_curve_and_event_log(run: Run) -> None:
    with service().running() as running:
        out = run("show", JOB_ID, "--url", running.url).out
    for text in (
        JOB_ID,
        "y = 1.25 + -0.5 x",
        "500 first, 8.5 last, 8.25 lowest (step 1,990); least squares reaches 8.125",
        "250 ms of training (8,000 steps/s) after 10 ms in the queue, in a pack of 4",
        "submitted by api",
        "claimed by cpu-0",
        "log scale │",
    ):
        assert text in out


def test_losses_come_as_a_curve_csv_npy_or_json(run: Run, tmp_path: Path) -> None:
    with service().running() as running:
        curve = run("losses", JOB_ID, "--url", running.url).out
        csv = run("losses", JOB_ID, "--csv", "--url", running.url).out
        as_json = run("losses", JOB_ID, "--json", "--url", running.url).out
        run("losses", JOB_ID, "--npy", str(tmp_path / "l.npy"), "--url", running.url)
        both = run("losses", JOB_ID, "--csv", "--json", "--url", running.url)
    assert "⠀" in curve
    assert csv == "step,loss\n0,0.1\n1,1e-09\n"
    assert json.loads(as_json) == {"steps": [0, 1], "losses": [0.1, 1e-9]}
    assert np.load(tmp_path / "l.npy").tolist() == np.array([0.1, 1e-9], dtype=np.float32).tolist()
    assert both.status == 2


def test_cancel_takes_many(run: Run) -> None:
    with service().running() as running:
        ended = run("cancel", "x", "y", "--url", running.url)
    assert (ended.status, ended.out) == (0, f"{JOB_ID} cancelled\n" * 2)


def test_retry_prints_the_ids_of_the_new_jobs_and_delete_those_of_the_deleted(run: Run) -> None:
    with service(x={}).running() as running:
        retried, deleted = run("retry", "x", "y", "--url", running.url), run("delete", "x", "--url", running.url)
    assert (retried.status, retried.out) == (0, f"{JOB_ID}\n" * 2)
    assert (deleted.status, deleted.out) == (0, "x deleted\n")


def test_logs_name_the_attempt_and_cannot_control_the_terminal(run: Run) -> None:
    with service().running() as running:
        text, as_json = run("logs", JOB_ID, "--url", running.url), run("logs", JOB_ID, "--json", "--url", running.url)
    assert "attempt 1, the last 64 KiB" in text.out
    assert "begins\n" in text.out
    assert "Traceback" in text.out
    assert "\x1b[31m" not in text.out
    assert json.loads(as_json.out)[0]["attempt"] == 1
    with service(logs={"logs": []}).running() as running:
        nothing = run("logs", JOB_ID, "--url", running.url)
    assert (nothing.status, nothing.out, nothing.err) == (0, "", "no logs\n")


def test_the_fleet_has_its_tables_and_json(run: Run) -> None:
    stages = {"stages": [{"name": "nn", "title": "nn", "devices": ["cpu"], "defaults": {"steps": 2000}}]}
    workers = {
        "workers": [{"id": "1", "host": "h", "slot": "cpu-0", "queue": "cpu", "state": "idle", "current_jobs": []}]
    }
    queues = {"queues": [{"name": "cpu", "depth": 3, "oldest_wait_seconds": 61, "idle_slots": 0, "live_slots": 1}]}
    with service(stages=stages, workers=workers, queues=queues).running() as running:
        for name, word in (("stages", "2,000"), ("workers", "cpu-0"), ("queues", "1 min 1 s")):
            assert word in run(name, "--url", running.url).out
            assert isinstance(json.loads(run(name, "--json", "--url", running.url).out), list)
        shown = run("stages", "nn", "--url", running.url).out
        assert "kind: function, points: 2000" in shown
        assert "One GPU ends sooner from 9 jobs on." in shown


def test_workers_with_gpus_are_shown_with_uuid_memory_and_drain(run: Run) -> None:
    gpu = {"id": "1", "host": "node-7", "slot": "gpu-3", "queue": "gpu", "device_name": "H200", "state": "drained",
           "device_uuid": "GPU-5f3a1b2c-0000-1111", "memory_mib": 143_771, "memory_used_mib": 2048, "pack_size": 512,
           "steps_per_second": 1e6, "versions": {"gradyard": "0.1.0"},
           "drained": {"since": "2026-11-23T09:00:00Z", "actor": "ada", "reason": "it fell off the bus"}}  # fmt: skip
    with service(workers={"workers": [gpu]}).running() as running:
        table = run("workers", "--url", running.url).out
    for word in ("GPU-5f3a1b2c…", "512", "1,000,000", "2.0 of 140 GiB", "0.1.0", "it fell off the bus"):
        assert word in table


@pytest.mark.parametrize(
    "arguments", [(), ("submit",), ("up",), ("losses",), ("db", "downgrade"), ("worker",), ("demo",)]
)
def test_every_command_has_help(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments, "--help")
    assert ended.status == 0
    assert "Usage: gradyard" in ended.out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("api", "--host", "0.0.0.0"), 1, "set GRADYARD_ADMIN_KEY"),
        (("api", "--processes", "2"), 2, "SQLite allows one API process"),
        (("db", "upgrade", "no-such-revision"), 1, "no-such-revision"),
    ],
)
def test_what_cannot_be_started_gets_one_line(run: Run, arguments: tuple[str, ...], status: int, message: str) -> None:
    ended = run(*arguments)
    assert (ended.status, ended.err.count("\n")) == (status, 1)
    assert message in ended.err


def test_the_tables_go_up_and_down(run: Run) -> None:
    assert run("db", "upgrade").out == "the tables are up to date\n"
    assert run("db", "upgrade").status == 0
    assert run("db", "downgrade", "base").out == "the tables are at base\n"


@pytest.mark.parametrize("axis", ["seed", "=1", "seed=", "seed=5:5", "seed=0:5:0"])
def test_a_malformed_axis_is_refused(run: Run, axis: str) -> None:
    ended = run("sweep", "--stage", "nn", "--grid", axis)
    assert (ended.status, ended.out) == (2, "")
    assert f"--grid {axis}" in ended.err


@pytest.mark.parametrize("drawn", ["seed", "=1:2", "seed=1", "seed=a:b", "seed=1:2:square"])
def test_a_malformed_draw_is_refused(run: Run, drawn: str) -> None:
    ended = run("sweep", "--stage", "nn", "--random", drawn)
    assert (ended.status, ended.out) == (2, "")
    assert f"--random {drawn}" in ended.err


@pytest.mark.parametrize("command", [("submit",), ("sweep", "--grid", "seed=1,2", "--no-wait")])
def test_after_names_what_a_job_depends_on(run: Run, command: tuple[str, ...]) -> None:
    after = ["--after", "a" * 8, "--after", "b" * 8, "--after-any", "c" * 8]
    with service().running() as running:
        run(*command, "--stage", "nn", *after, "--url", running.url)
    body = next(json.loads(asked.body) for asked in running.asked if asked.method == "POST")
    depends_on = [{"id": letter * 8, "condition": "succeeded"} for letter in "ab"]
    assert body["depends_on"] == [*depends_on, {"id": "c" * 8, "condition": "ended"}]
