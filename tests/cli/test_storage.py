"""`gradyard storage`: a table of what is stored, and rules that are asked about before they delete."""

import json
from contextlib import AbstractContextManager
from typing import Any

import pytest

from gradyard.cli.arguments.sizes import bytes_in, size
from gradyard.cli.errors import BadUsage
from gradyard.jobs.storage import StoredKind
from tests.cli.command_for_tests import Run
from tests.client.service_for_tests import FakeService, Said, answering

RULE: dict[str, Any] = {
    "days": 90.0, "jobs": None, "bytes": None, "set_for": "project", "set_at": "2026-11-23T09:00:00Z",
    "set_by": "api:ada@physics", "due": 12,
}  # fmt: skip
STORAGE: dict[str, Any] = {
    "projects": [{
        "project": "physics", "bytes": 1_250_000_000, "max_bytes": 10**10, "measured_at": "2026-11-23T09:00:00Z",
        "kinds": [{"kind": kind, "bytes": 178_571_428, "rows": 7} for kind in StoredKind], "retention": RULE,
    }],
    "database_bytes": 2_000_000_000,
}  # fmt: skip


def test_what_is_stored_is_a_table_or_json(run: Run) -> None:
    with answering(Said(200, STORAGE)) as running:
        table = run("storage", "--url", running.url).out
        as_json = json.loads(run("storage", "--json", "--url", running.url).out)
    assert all(each in table for each in ("physics", "1.25 GB", "10 GB", "179 MB", "checkpoints", "90 days"))
    assert "the whole database has 2 GB" in table
    assert as_json == STORAGE


def service() -> AbstractContextManager[FakeService]:
    return answering(Said(200, RULE))


def test_the_rule_of_the_project_is_a_sentence_or_json(run: Run) -> None:
    with service() as running:
        assert run("storage", "retention", "--url", running.url).out == (
            "kept: 90 days (set by api:ada@physics); 12 jobs are to go\n"
        )
        assert json.loads(run("storage", "retention", "--json", "--url", running.url).out) == RULE
        run("storage", "retention", "--project", "physics", "--url", running.url)
    assert [asked.method for asked in running.asked] == ["GET"] * 3
    assert running.asked[-1].params == {"project": "physics"}


def test_a_rule_that_deletes_jobs_is_set_with_yes_alone_where_no_one_can_be_asked(run: Run) -> None:
    words = ("storage", "retention", "--days", "90", "--bytes", "10GB")
    with service() as running:
        refused = run(*words, "--url", running.url)
        assert (refused.status, refused.err) == (2, "gradyard: 12 jobs will be deleted; add --yes to do it\n")
        assert [asked.params for asked in running.asked] == [{"preview": "true"}]
        assert run(*words, "--yes", "--url", running.url).status == 0
    assert running.asked[-1].params == {}
    assert json.loads(running.asked[-1].body) == {"days": 90.0, "jobs": None, "bytes": 10**10}


def test_all_is_kept_or_what_the_service_says(run: Run) -> None:
    with service() as running:
        run("storage", "retention", "--keep-all", "--yes", "--url", running.url)
        run("storage", "retention", "--default", "--yes", "--url", running.url)
        assert run("storage", "retention", "--default", "--days", "3", "--url", running.url).status == 2
    assert [(asked.method, asked.body) for asked in running.asked] == [
        ("PUT", b'{"days": null, "jobs": null, "bytes": null}'), ("DELETE", b""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "number"),
    [("10GB", 10**10), ("512 MiB", 512 * 2**20), ("1000000", 10**6), ("1.5k", 1500), ("2TiB", 2 * 2**40), ("7b", 7)],
)
def test_a_size_is_read_as_people_write_it(text: str, number: int) -> None:
    assert bytes_in(text, "--bytes") == number


@pytest.mark.parametrize("text", ["", "GB", "-1", "10 XB", "1e3", "1,000", "ten"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BadUsage, match=r"--bytes: .* is no size; write it as 10GB"):
        bytes_in(text, "--bytes")


def test_a_size_is_shown_with_three_digits() -> None:
    shown = {0: "0 B", 999: "999 B", 1000: "1 kB", 1_250_000_000: "1.25 GB", 10**18: "1e+03 PB", 999_600: "1 MB"}
    assert {number: size(number) for number in shown} == shown
    assert size(None) == "-"


def test_the_rule_of_the_service_is_asked_about_as_any_other(run: Run) -> None:
    with service() as running:
        refused = run("storage", "retention", "--default", "--url", running.url)
    assert (refused.status, refused.err) == (2, "gradyard: 12 jobs will be deleted; add --yes to do it\n")
    assert [(asked.method, asked.params) for asked in running.asked] == [("DELETE", {"preview": "true"})]


def test_where_nothing_is_measured_yet_it_is_asked_as_well(run: Run) -> None:
    with answering(Said(200, RULE | {"due": None})) as running:
        refused = run("storage", "retention", "--bytes", "1", "--url", running.url)
    assert (refused.status, [asked.method for asked in running.asked]) == (2, ["PUT"])
    assert "how many is not measured yet; add --yes to do it" in refused.err
