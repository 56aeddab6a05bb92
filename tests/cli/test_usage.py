"""Wrong command lines: one line each, with the nearest word that is known; nothing that is given is dropped."""

from collections.abc import Iterator

import pytest
import typer
from typer.models import OptionInfo

from gradyard.cli.grammar.vocabulary import EVERYDAY, HIDDEN, NOUNS, PROCESSES
from gradyard.cli.grammar.whole_numbers import takes_whole_number
from tests.cli.command_for_tests import Run, service
from tests.client.service_for_tests import JOB_ID


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("submit", "--stage", "nn", "--stage", "optim"), "--stage"),
        (("sweep", "--stage", "nn", "--samples", "10", "--samples=12"), "--samples"),
        (("jobs", "--state", "failed", "--state", "queued"), "--state"),
        (("jobs", "list", "-n", "5", "--limit", "6"), "--limit"),
        (("jobs", "set", JOB_ID, "--pin", "--unpin"), "--pin/--unpin"),
        (("export", JOB_ID, "-o", "a", "--out", "b"), "--out"),
        (("show", JOB_ID, "--key", "a", "--key", "b"), "--key"),
        (("--url", "http://127.0.0.1:8", "--url", "http://127.0.0.1:9", "jobs"), "--url"),
        (("jobs", "--key", "a", "--key", "b", "list"), "--key"),
        (("db", "--state-dir", "a", "--state-dir", "b", "upgrade"), "--state-dir"),
        (("jobs", "--tag", "a=1", "--tag", "a=2"), "--tag a"),
        (("losses", JOB_ID, JOB_ID), JOB_ID),
        (("metrics", JOB_ID, JOB_ID, "accuracy"), JOB_ID),
    ],
)
def test_an_option_given_twice_is_refused(run: Run, arguments: tuple[str, ...], option: str) -> None:
    ended = run(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == f"gradyard: {option} is given twice; leave one out\n"


def test_what_may_be_given_again_still_may(run: Run) -> None:
    with service().running() as running:
        for words in (
            ("--url", "http://127.0.0.1:9", "jobs", "--url", "http://127.0.0.1:8", "list", "--url", running.url),
            ("jobs", "--tag", "a=1", "--tag", "b=2", "--url", running.url),
            ("submit", "--stage=nn", "--set", "seed=1", "--set", "steps=2", "--json", "--json", "--url", running.url),
        ):
            assert (run(*words).status, run(*words, "--help").status) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("jobs", "--state", "faild"), 'jobs list: --state must be one of queued, running, succeeded, failed, '
         'cancelled, not "faild"; did you mean "failed"?'),
        (("jobs", "best", "--mode", "mni"), "jobs best: --mode must be one of min, max, "
         'not "mni"; did you mean "min"?'),
        (("jobs", "export", "--form", "cvs"), "jobs export: --form must be one of ndjson, csv, parquet, "
         'arrow, not "cvs"; did you mean "csv"?'),
        (("jobs", "canel", JOB_ID), 'there is no command "jobs canel"; did you mean "cancel"?'),
        (("sumbit",), 'there is no command "sumbit"; did you mean "submit"?'),
        (("\x1b]0;x\x07",), 'there is no command "\\u001b]0;x\\u0007"; `gradyard --help` lists them'),
        (("jobs", "list", "--stat", "failed"), 'jobs list: there is no option --stat; did you mean "--state"?'),
        (("up", "--cpu", "1"), 'up: there is no option --cpu; did you mean "--cpu-slots"?'),
        (("jobs", "list", "--sate=failed"), 'jobs list: there is no option --sate; did you mean "--state"?'),
        (("jobs", "--\x1b]0;x\x07"), "jobs list: there is no option --\\u001b]0;x\\u0007; "
         "`gradyard jobs list --help` lists them"),
        (("show",), "show: ID is missing; see `gradyard show --help`"),
        (("losses",), "losses: ID... is missing; see `gradyard losses --help`"),
        (("show", "a", "b"), "show: got unexpected extra argument(s) (b); see `gradyard show --help`"),
        (("jobs", "--limit"), "option '--limit' requires an argument"),
        (("jobs", "--limit", "x"), 'jobs list: --limit must be a whole number of at least 1, not "x"'),
        (("jobs", "--limit", "0"), 'jobs list: --limit must be a whole number of at least 1, not "0"'),
        (("jobs", "best", "--limit", "201"), 'jobs best: --limit must be a whole number from 1 to 200, not "201"'),
        (("losses", JOB_ID, "--from", "1.5"), 'losses: --from must be a whole number, not "1.5"'),
        (("losses", JOB_ID, "--from", "1e999"), 'losses: --from must be a whole number, not "1e999"'),
        (("keys", "create", "ada", "--expires-in-days", "soon"), "keys create: --expires-in-days: 'soon' is not a "
         "valid float; see `gradyard keys create --help`"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_one_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    ended = run(*arguments)
    assert (ended.status, ended.out, ended.err) == (2, "", f"gradyard: {said}\n")


@pytest.mark.parametrize("ten", ["10", "1e1", "10.0", "+10", "1E+1", "0.1e2"])
def test_a_whole_number_may_be_written_as_any_number(run: Run, ten: str) -> None:
    with service(best={"jobs": [], "metric": "loss_last", "mode": "min", "values": []}).running() as running:
        assert run("losses", JOB_ID, "--points", ten, "--json", "--url", running.url).status == 0
        assert run("jobs", "set", JOB_ID, "--priority", ten, "--url", running.url).status == 0
        assert run("batches", "best", JOB_ID, "--limit", ten, "--url", running.url).status == 0
    assert running.asked[0].params["points"] == "10"
    assert b'"priority": 10' in running.asked[1].body.replace(b":", b": ").replace(b":  ", b": ")


def commands() -> Iterator[tuple[str, typer.models.ParamMeta]]:
    for words in (EVERYDAY, PROCESSES, HIDDEN, *(verbs for _, verbs in NOUNS.values())):
        for name, command in words.items():
            for each in typer.utils.get_params_from_function(command).values():
                yield name, each


def test_every_option_of_a_whole_number_takes_every_form_of_one() -> None:
    options = [(name, each) for name, each in commands() if isinstance(each.default, OptionInfo)]
    whole = [(name, each.name) for name, each in options if takes_whole_number(each.annotation)]
    assert len(whole) > 20
    assert [(name, each.name) for name, each in options
            if takes_whole_number(each.annotation) and each.default.parser is None] == []  # fmt: skip
