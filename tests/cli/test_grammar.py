"""Nouns with verbs, everyday words, and the options that every command shares."""

import json

import pytest

from tests.cli.command_for_tests import Run, service
from tests.client.service_for_tests import JOB_ID, Said, answering

QUEUES = {"queues": [{"name": "cpu", "depth": 3, "idle_slots": 0, "live_slots": 1}]}


@pytest.mark.parametrize(
    ("noun", "everyday"),
    [
        (("jobs",), ("jobs", "list")),
        (("jobs", "show", JOB_ID), ("show", JOB_ID)),
        (("jobs", "losses", JOB_ID), ("losses", JOB_ID)),
        (("jobs", "logs", JOB_ID), ("logs", JOB_ID)),
        (("jobs", "watch", JOB_ID), ("watch", JOB_ID)),
        (("jobs", "cancel", JOB_ID), ("cancel", JOB_ID)),
        (("jobs", "retry", JOB_ID), ("retry", JOB_ID)),
        (("jobs", "metrics", JOB_ID), ("metrics", JOB_ID)),
        (("stages", "show", "nn"), ("stages", "nn")),
        (("queues",), ("queues", "list")),
    ],
)
def test_a_noun_with_its_verb_is_the_everyday_word(run: Run, noun: tuple[str, ...], everyday: tuple[str, ...]) -> None:
    with service(metrics={"metrics": ["accuracy"]}, queues=QUEUES).running() as running:
        first = run(*noun, "--url", running.url)
        second = run(*everyday, "--url", running.url)
    assert (first.status, first.out) == (second.status, second.out)
    assert first.status == 0
    assert first.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--url", "{}", "queues", "--json"),
        ("queues", "--url", "{}", "--json"),
        ("--json", "--url={}", "queues"),
        ("queues", "--json", "list", "--url", "{}"),
        ("queues", "--url", "{}", "--json", "list"),
        ("--url", "http://127.0.0.1:9", "queues", "list", "--json", "--url", "{}"),
    ],
)
def test_shared_options_stand_before_or_after_the_verb(run: Run, arguments: tuple[str, ...]) -> None:
    with service(queues=QUEUES).running() as running:
        ended = run(*(each.format(running.url) for each in arguments))
    assert (ended.status, ended.err) == (0, "")
    assert json.loads(ended.out)[0]["depth"] == 3


def test_a_key_before_the_verb_is_sent_and_goes_before_that_of_the_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADYARD_KEY", "mine")
    with service(queues=QUEUES).running() as running:
        run("--key", "other", "queues", "--url", running.url)
        run("queues", "--url", running.url)
    assert [asked.headers["Authorization"] for asked in running.asked] == ["Bearer other", "Bearer mine"]


def test_a_filter_of_the_list_needs_no_verb(run: Run) -> None:
    with service().running() as running:
        run("--url", running.url, "jobs", "--state", "failed", "--batch", "b")
    assert {"state": "failed", "batch": "b"}.items() <= running.asked[0].params.items()


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--url", "http://127.0.0.1:9", "up"), "--url"),
        (("--json", "worker"), "--json"),
        (("--key", "k", "db", "upgrade"), "--key"),
    ],
)
def test_a_shared_option_without_meaning_for_a_command_is_refused(
    run: Run, arguments: tuple[str, ...], option: str
) -> None:
    ended = run(*arguments)
    assert ended.status == 2
    assert f"takes no {option}" in ended.err
    assert ended.err.count("\n") == 1


def test_an_unknown_verb_is_named_with_the_nearest_one(run: Run) -> None:
    ended = run("jobs", "canel", JOB_ID)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == 'gradyard: there is no command "jobs canel"; did you mean "cancel"?\n'


def test_the_first_help_screen_is_short_and_begins_with_everyday_commands(run: Run) -> None:
    shown = run("--help").out
    assert shown.index("submit") < shown.index("batches") < shown.index("maintain")
    assert "│ undrain" not in shown
    assert "│ artifacts" not in shown
    assert len(shown.splitlines()) < 72


def test_a_noun_shows_its_verbs(run: Run) -> None:
    shown = run("batches", "--help").out
    for verb in ("list", "show", "best", "watch", "cancel", "retry", "delete", "export"):
        assert verb in shown


def test_queues_and_workers_have_their_verbs(run: Run) -> None:
    workers = {"workers": [{"id": "1", "host": "h", "slot": "cpu-0", "queue": "cpu", "state": "drained"}]}
    answers = {
        "pause": {"name": "cpu"},
        "resume": {"name": "cpu"},
        "queues": QUEUES,
        "drain": workers,
        "undrain": workers,
    }
    with service(**answers).running() as running:
        for words in (("queues", "pause", "cpu"), ("queues", "resume", "cpu"), ("workers", "drain", "h"),
                      ("workers", "undrain", "h"), ("drain", "h"), ("undrain", "h")):  # fmt: skip
            assert run(*words, "--url", running.url).status == 0
    asked = [each.path for each in running.asked if each.method == "POST"]
    assert asked == [
        "/v1/queues/cpu/pause",
        "/v1/queues/cpu/resume",
        *["/v1/workers/h/drain", "/v1/workers/h/undrain"] * 2,
    ]


def test_keys_without_a_verb_are_listed(run: Run) -> None:
    with answering(Said(200, {"keys": []})) as running:
        assert run("keys", "--url", running.url).out == run("keys", "list", "--url", running.url).out
