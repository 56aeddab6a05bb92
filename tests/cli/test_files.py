"""Files on the command line: sent in, listed, shown, fetched, deleted, and trained on by `--data`."""

import json
from pathlib import Path

import pytest

from tests.cli.command_for_tests import Run
from tests.client.service_for_tests import Asked, FakeService, Said, job, problem
from tests.client.test_files import FILE, ID

CARS = b"speed,dist\n4,2\n7,4\n"
COLUMNS = [{"name": name, "type": "number", "is_numeric": True, "missing": 0} for name in ("speed", "dist")]
TWO = FILE | {"columns": COLUMNS}
MORE = FILE | {"columns": [*COLUMNS, {"name": "year", "type": "number", "is_numeric": True, "missing": 2}]}


class Files(FakeService):
    """A service with one file."""

    def __init__(self, file: dict[str, object] = TWO) -> None:
        self.file = file
        super().__init__(self._answer)

    def _answer(self, asked: Asked) -> Said:
        if asked.path == "/v1/jobs":
            return Said(202, job())
        if asked.path.endswith("/content"):
            return Said(200, CARS)
        if "unknown" in asked.path:
            return problem(404, "not_found", "there is no file unknown")
        if asked.method == "DELETE":
            return Said(204, b"")
        if asked.path == "/v1/files" and asked.method == "GET":
            return Said(200, {"files": [self.file], "next_cursor": None})
        return Said(200, self.file)


def posted(service: FakeService) -> list[tuple[str, bytes]]:
    return [(asked.path, asked.body) for asked in service.asked if asked.method == "POST"]


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    path = tmp_path / "cars.csv"
    path.write_bytes(CARS)
    return path


def test_a_file_is_sent_in_and_its_columns_are_shown_with_a_command(run: Run, cars: Path) -> None:
    with Files(MORE).running() as service:
        ended = run("files", "upload", str(cars), "--url", service.url)
    assert ended.status == 0
    assert posted(service) == [("/v1/files", CARS)]
    assert ID in ended.out
    assert "year: number, 2 missing or not finite" in ended.out
    assert f"gradyard submit nn --data {ID[:16]} --x speed --y dist" in ended.out


def test_the_list_fits_a_narrow_terminal(run: Run) -> None:
    with Files().running() as service:
        ended = run("files", "--url", service.url)
        as_json = run("files", "--json", "--url", service.url)
    assert ID[:16] in ended.out
    assert "cars.csv" in ended.out
    assert json.loads(as_json.out)[0]["id"] == ID


def test_a_file_that_cannot_be_read_is_one_line(run: Run, tmp_path: Path) -> None:
    with Files().running() as service:
        ended = run("files", "upload", str(tmp_path / "none.csv"), "--url", service.url)
    assert ended.status == 2
    assert "none.csv cannot be read (No such file or directory)" in ended.err
    assert service.asked == []


def test_a_download_has_the_name_of_the_file_and_overwrites_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Files(TWO | {"name": "../../cars.csv"}).running() as service:
        assert run("files", "download", ID, "--url", service.url).status == 0
        assert (tmp_path / "cars.csv").read_bytes() == CARS
        again = run("files", "download", ID, "--url", service.url)
        elsewhere = run("files", "download", ID, "--out", "other.csv", "--url", service.url)
    assert again.status == 2
    assert "cars.csv is there already" in again.err
    assert elsewhere.status == 0
    assert (tmp_path / "other.csv").read_bytes() == CARS


def test_files_are_deleted_one_by_one(run: Run) -> None:
    with Files().running() as service:
        ended = run("files", "delete", ID, "unknown", "--url", service.url)
    assert f"{ID} deleted" in ended.out
    assert "there is no file unknown" in ended.out + ended.err
    assert ended.status == 1


def test_a_job_is_trained_on_a_file_of_this_machine(run: Run, cars: Path) -> None:
    with Files(MORE).running() as service:
        ended = run("submit", "nn", "--data", str(cars), "--x", "speed", "--y", "dist", "--url", service.url)
    assert ended.status == 0
    (_, sent), (path, body) = posted(service)
    assert (sent, path) == (CARS, "/v1/jobs")
    assert json.loads(body)["dataset"] == {"kind": "file", "file": ID, "x": "speed", "y": "dist"}


def test_a_job_is_trained_on_a_file_of_the_service(run: Run) -> None:
    with Files().running() as service:
        assert run("submit", "nn", "--data", ID[:8], "--url", service.url).status == 0
    ((_, body),) = posted(service)
    assert json.loads(body)["dataset"] == {"kind": "file", "file": ID, "x": "speed", "y": "dist"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--x", "speed"], "name the file as well: --data FILE"),
        (["--data", "none.csv"], "--data none.csv: there is no such file"),
        (["--data", ID[:8]], "name the columns with --x and --y; its columns of numbers are speed, dist, year"),
        (["--data", ID[:8], "--set", "dataset.points=9"], "--set dataset.points=9 and --data give the same parameter"),
    ],
)
def test_what_is_not_plain_is_refused_before_a_job_is_submitted(run: Run, words: list[str], said: str) -> None:
    with Files(MORE).running() as service:
        ended = run("submit", "nn", *words, "--url", service.url)
    assert ended.status == 2
    assert said in ended.err
    assert posted(service) == []
