"""Long lists of jobs: all ids, and a word about the jobs that are not shown."""

import json

import pytest

from tests.cli.command_for_tests import Run
from tests.client.service_for_tests import Asked, FakeService, Said, job


def many(asked: Asked) -> Said:
    """Jobs 0 to 449, in pages. The cursor is the number of the next job."""
    first = int(asked.params.get("cursor", 0))
    last = min(450, first + int(asked.params["limit"]))
    page = [job(id=f"job-{number}") for number in range(first, last)]
    return Said(200, {"jobs": page, "next_cursor": str(last) if last < 450 else None})


def test_a_list_that_is_cut_says_so_beside_the_table_and_the_json(run: Run) -> None:
    with FakeService(many).running() as service:
        table = run("jobs", "--url", service.url)
        as_json = run("jobs", "--json", "--limit", "200", "--url", service.url)
    assert (table.out.count("job-"), table.err) == (20, "20 of 450 shown; --limit 100\n")
    assert (len(json.loads(as_json.out)), as_json.err) == (200, "200 of 450 shown; --limit 450\n")


def test_a_very_long_list_is_not_counted_to_its_end(run: Run) -> None:
    def endless(asked: Asked) -> Said:
        page = [job(id="job") for _ in range(int(asked.params["limit"]))]
        return Said(200, {"jobs": page, "next_cursor": "more"})

    with FakeService(endless).running() as service:
        assert run("jobs", "-n", "5", "--url", service.url).err == "5 of over 1,004 shown; --limit 100\n"


def test_ids_are_all_of_them(run: Run) -> None:
    with FakeService(many).running() as service:
        ended = run("jobs", "--ids", "--url", service.url)
        some = run("jobs", "--ids", "-n", "3", "--url", service.url)
    assert (len(ended.out.splitlines()), ended.err) == (450, "")
    assert some.out.splitlines() == ["job-0", "job-1", "job-2"]


def test_a_list_that_is_whole_says_nothing(run: Run) -> None:
    with FakeService(many).running() as service:
        assert run("jobs", "--limit", "450", "--url", service.url).err == ""


def test_a_question_goes_to_the_service_page_by_page_also_where_a_page_has_no_job(run: Run) -> None:
    asked: list[dict[str, str]] = []

    def one_on_the_third(request: Asked) -> Said:
        asked.append(dict(request.params))
        found = [job(id="found")] if len(asked) == 3 else []
        return Said(200, {"jobs": found, "next_cursor": None if len(asked) == 3 else "further back"})

    with FakeService(one_on_the_third).running() as service:
        ended = run("jobs", "--where", "loss_min < 9", "--ids", "--url", service.url)
    assert ended.out == "found\n"
    assert [each["where"] for each in asked] == ["loss_min < 9"] * 3


def test_a_question_that_nothing_satisfies_says_so(run: Run) -> None:
    with FakeService(lambda _: Said(200, {"jobs": [], "next_cursor": None})).running() as service:
        assert run("jobs", "--where", "seed == 7", "--url", service.url).out == "there are no such jobs\n"


def test_an_order_goes_to_the_service_also_with_its_minus(run: Run) -> None:
    asked: list[str] = []

    def noted(request: Asked) -> Said:
        asked.append(request.params["sort"])
        return Said(200, {"jobs": [], "next_cursor": None})

    with FakeService(noted).running() as service:
        run("jobs", "--sort", "-loss_min", "--url", service.url)
        run("jobs", "--sort=loss_min", "--url", service.url)
    assert asked == ["-loss_min", "loss_min"]


def test_columns_of_choice_are_a_table_and_json(run: Run) -> None:
    values = [{"id": "a", "values": {"loss_min": 8.8123456, "seed": 1234567, "tags.course": None, "name": "x\x1b[2J"}}]

    def few(asked: Asked) -> Said:
        assert asked.params["fields"] == "loss_min, seed, tags.course, name"
        assert asked.params["tag"] == "course=w3"
        return Said(200, {"jobs": values, "next_cursor": None})

    with FakeService(few).running() as service:
        chosen = ("jobs", "--tag", "course=w3", "--columns", "loss_min, seed, tags.course, name", "--url", service.url)
        table, as_json = run(*chosen), run(*chosen, "--json")
    header, _, row = (line.split() for line in table.out.splitlines() if line.strip())
    assert header == ["id", "loss_min", "seed", "tags.course", "name"]
    assert row[:4] == ["a", "8.812", "1234567", "-"]
    assert "\x1b[2J" not in table.out
    assert json.loads(as_json.out) == values


ENTRY = {"at": "2026-11-23T09:00:00Z", "actor": "api", "action": "drained", "target": "cpu-0@h"}
DELIVERY = {"event": "job.failed", "state": "waiting"}


def sixty(asked: Asked) -> Said:
    """Sixty entries and messages, in pages; of the best jobs as many as are asked for, sixty at most."""
    most, first = int(asked.params["limit"]), int(asked.params.get("cursor", 0))
    if asked.path.endswith("/best"):
        best = [job(id=f"job-{number}") for number in range(min(60, most))]
        return Said(200, {"jobs": best, "metric": "loss_last", "mode": "min", "values": [1.0] * len(best)})
    last = min(60, first + most)
    page = [{"id": f"id-{number}", **ENTRY, **DELIVERY} for number in range(first, last)]
    return Said(200, {"entries": page, "deliveries": page, "next_cursor": str(last) if last < 60 else None})


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize(
    ("words", "more"),
    [
        (["audit", "--limit", "1"], "1 of 60 shown; --limit 60\n"),
        (["audit"], "50 of 60 shown; --limit 60\n"),
        (["audit", "--limit", "60"], ""),
        (["webhooks", "deliveries", "W", "--limit", "1"], "1 of 60 shown; --limit 60\n"),
        (["webhooks", "deliveries", "W"], "20 of 60 shown; --limit 60\n"),
        (["jobs", "best", "-n", "1"], "1 shown, and there are more; --limit 100\n"),
        (["batches", "best", "B", "-n", "59", "--ids"], "59 shown, and there are more; --limit 200\n"),
        (["batches", "best", "B", "-n", "60", "--ids"], ""),
    ],
)
def test_a_list_of_another_noun_that_is_cut_says_so(run: Run, words: list[str], more: str, form: list[str]) -> None:
    with FakeService(sixty).running() as service:
        ended = run(*words, *form, "--url", service.url)
    assert (ended.status, ended.err) == (0, more)
    if form and more:
        assert len(json.loads(ended.out)) == int(more.split()[0])


def test_the_most_that_the_service_gives_may_not_be_all(run: Run) -> None:
    def two_hundred(asked: Asked) -> Said:
        best = [job(id=f"job-{number}") for number in range(int(asked.params["limit"]))]
        return Said(200, {"jobs": best, "metric": "loss_last", "mode": "min", "values": [1.0] * len(best)})

    with FakeService(two_hundred).running() as service:
        whole = run("jobs", "best", "-n", "200", "--ids", "--url", service.url)
        cut = run("jobs", "best", "-n", "199", "--ids", "--url", service.url)
    assert (whole.out.count("\n"), whole.err) == (200, "200 shown, the most at a time; there may be more\n")
    assert (cut.out.count("\n"), cut.err) == (199, "199 shown, and there are more; --limit 200\n")
