"""Long lists of jobs: all ids, and a word about the jobs that are not shown."""

import json

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
