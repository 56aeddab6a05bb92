"""Commands about all jobs of a question, and changes of one, on a real service."""

import io
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from gradyard.client.client import Client
from gradyard.client.definitions import verb
from gradyard.client.jobs import Jobs
from gradyard.client.questions import QuestionRequests
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.cli.command_for_tests import Ended, Run
from tests.client.real_service import real_service

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def url(database: Database, settings: Settings) -> Iterator[str]:
    """A service with six jobs that wait, and one that succeeded."""
    submitted(database, settings, seed=9, stage="optim", optimizer={"name": "adam"})
    succeeds(database, claimed(database, worker_of(database)), [4.0, 1.0, 2.0])
    for seed in range(6):
        submitted(database, settings, stage="nn", seed=seed, learning_rate=[1e-6, 1e-5][seed % 2])
    with real_service(settings) as served:
        yield served


def told(run: Run, url: str, *words: str) -> Ended:
    ended = run(*words, "--url", url)
    assert ended.status == 0, ended.err
    return ended


def test_jobs_are_counted(run: Run, url: str) -> None:
    assert told(run, url, "jobs", "count").out == "7\n"
    counted = told(run, url, "jobs", "count", "--where", "learning_rate > 5e-6", "--stage", "nn", "--json")
    assert json.loads(counted.out) == {"count": 3}
    assert "did you mean" in run("jobs", "count", "--where", "sed == 1", "--url", url).err


def test_groups_are_a_table(run: Run, url: str) -> None:
    asked = ("jobs", "summary", "--stage", "nn", "-g", "learning_rate", "--of", "seed", "--of", "steps")
    shown = told(run, url, *asked).out
    rows = [line.split() for line in shown.splitlines() if line.strip().startswith("1e")]
    assert rows == [
        ["1e-06", "seed", "3", "0", "2", "3.8", "4", "2"], ["1e-06", "steps", "3", "4", "4", "4", "4", "4"],
        ["1e-05", "seed", "3", "1", "3", "4.8", "5", "3"], ["1e-05", "steps", "3", "4", "4", "4", "4", "4"],
    ]  # fmt: skip
    by_name = told(run, url, "jobs", "summary", "--group", "optimizer.name", "--json").out
    assert [(each["group"], each["count"]) for each in json.loads(by_name)["groups"]] == [
        ({"optimizer.name": None}, 6), ({"optimizer.name": "adam"}, 1)
    ]  # fmt: skip
    assert told(run, url, "jobs", "summary", "--where", "seed == 77").out == "there are no such jobs\n"
    assert "loss_min" not in told(run, url, "jobs", "summary", "--group", "stage").out


def test_an_action_says_how_many_first_and_asks(run: Run, url: str) -> None:
    refused = run("jobs", "cancel", "--where", "seed >= 3", "--url", url)
    assert (refused.status, refused.out) == (2, "")
    assert "4 jobs satisfy the question; add --yes to cancel them" in refused.err
    done = told(run, url, "jobs", "cancel", "--where", "seed >= 3", "--yes")
    assert (done.err, done.out) == ("4 jobs\n", "3 of 4 jobs cancelled; 1 had ended\n")
    assert told(run, url, "jobs", "count", "--state", "queued").out == "3\n"
    assert told(run, url, "cancel", "--where", "seed == 77").out == "no job satisfies the question\n"


def test_every_action_has_its_command(run: Run, url: str) -> None:
    on_all = partial(told, run, url, "jobs")
    assert on_all("retry", "--where", 'stage == "optim"', "-y").out == "1 of 1 job submitted anew\n"
    assert on_all("tag", "--where", "seed == 9", "--tag", "a=b=c", "-y").out == "2 of 2 jobs tagged\n"
    assert on_all("count", "--where", 'tags.a == "b=c"').out == "2\n"
    told(run, url, "retry", "--where", 'stage == "optim" and retry_of is None', "--set", "seed=10", "-y")
    assert on_all("count", "--where", "seed == 10 and retry_of is not None").out == "1\n"
    assert json.loads(on_all("delete", "--where", "seed == 9", "-y", "--json").out) == {
        "action": "delete", "count": 2, "done": 1, "skipped": {"unfinished": 1}
    }  # fmt: skip


def test_ids_and_a_question_are_not_mixed(run: Run, url: str) -> None:
    for word in ("cancel", "retry", "delete"):
        mixed = run("jobs", word, "01a2081e", "--where", "seed == 1", "--url", url)
        assert (mixed.status, "not both" in mixed.err) == (2, True)


def test_a_job_is_changed(run: Run, url: str) -> None:
    with Client(url) as client:
        job = next(client.jobs(state="queued")).id
    changed = told(run, url, "jobs", "set", job, "--name", "best", "--tag", "course=w3", "--pin", "--priority", "5")
    assert changed.out == f"{job}  best  course=w3  pinned  priority 5\n"
    shown = told(run, url, "jobs", "show", job).out
    assert all(each in shown for each in ("best", "course: w3", "pinned", "priority"))
    back = told(run, url, "jobs", "set", job, "--name", "", "--untag", "course", "--unpin", "--json")
    told_back = json.loads(back.out)
    assert [told_back[name] for name in ("name", "tags", "pinned", "priority")] == [None, {}, False, 5]
    assert told(run, url, "jobs", "tag", job, "--tag", "x=1").out == f"{job}  x=1  priority 5\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("set", "01a2081e"), "nothing to change"), (("set", "01a2081e", "--tag", "x"), "write it as KEY=VALUE"),
        (("set", "01a2081e", "--tag", "x=1", "--untag", "x"), "leave one out"),
        (("tag", "01a2081e"), "nothing to change"),
        (("tag", "01a2081e", "--tag", "x=1", "--tag", "x=2"), "given twice"),
    ],
)  # fmt: skip
def test_a_wrong_change_says_what_to_write(run: Run, url: str, words: tuple[str, ...], message: str) -> None:
    ended = run("jobs", *words, "--url", url)
    assert (ended.status, message in ended.err) == (2, True)


def test_the_client_counts_summarizes_acts_and_updates(url: str) -> None:
    with Client(url) as client:
        assert client.count("seed < 3") == client.jobs.count(where="seed < 3") == 3
        (group,) = client.summary("seed < 3", of=["seed", "learning_rate"]).groups
        assert (group.count, group.figures["seed"]["median"]) == (3, 1.0)
        assert client.summary(group="stage", stage="nn").groups[0].group == {"stage": "nn"}
        done = client.jobs.act("tag", "seed < 3", tags={"a": "b", "c": None}, expected_count=3)
        assert (done.done, dict(done.skipped)) == (3, {})
        job = next(client.jobs(where='tags.a == "b"'))
        assert client.jobs.update(job.id, tags={"a": None}, name="n").tags == {}
        assert client.update(job.id, name=None).name is None
        assert client.update(job.id, pinned=True).pinned
        assert client.act("retry", 'state == "succeeded"', idempotency_key="k").done == 1
        assert client.act("retry", 'state == "succeeded"', idempotency_key="k").done == 1
        assert client.count(state="queued") == 7


class Typed(io.StringIO):
    """What a person types at a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_person_who_says_no_changes_nothing(run: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.cli.conftest.io.StringIO", Typed)
    no = run("jobs", "cancel", "--where", "seed < 6", "--url", url, stdin="n\n")
    assert (no.status, "6 jobs. Cancel them?" in no.err) == (1, True)
    assert told(run, url, "jobs", "count", "--state", "queued").out == "6\n"
    yes = run("jobs", "cancel", "--where", "seed < 6", "--url", url, stdin="y\n")
    assert (yes.status, yes.out.strip()) == (0, "6 of 6 jobs cancelled")


def test_where_the_number_changes_it_is_asked_again(run: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a question that workers change all the time: after a prompt and with --yes."""
    monkeypatch.setattr("tests.cli.conftest.io.StringIO", Typed)
    count, counted = QuestionRequests.count, list[int]()

    async def once_too_few(self: QuestionRequests[Any], *where: str) -> int:
        counted.append(await count(self, *where) - (len(counted) % 2 == 0))
        return counted[-1]

    monkeypatch.setattr(Jobs, "count", verb(once_too_few))
    twice = run("jobs", "tag", "--where", "seed < 6", "--tag", "a=b", "--url", url, stdin="y\ny\n")
    assert (twice.status, twice.out.strip()) == (0, "6 of 6 jobs tagged")
    assert all(each in twice.err for each in ("5 jobs. Tag them?", "the number has changed", "6 jobs. Tag them?"))
    assert told(run, url, "jobs", "cancel", "--where", "seed < 6", "--yes").out == "6 of 6 jobs cancelled\n"
    assert counted == [5, 6, 5]
