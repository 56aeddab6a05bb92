"""`gradyard keys create --from FILE`: a key for each name, all or none as far as the service allows, none lost."""

import csv
import io
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradyard import Client
from gradyard.jobs.settings import Settings
from tests.cli.command_for_tests import Run
from tests.client.real_service import real_service

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    """The URL of a real service on a database of its own, without an administrator's key."""
    with real_service(settings) as there:
        yield there


@pytest.fixture
def names(tmp_path: Path) -> Path:
    return tmp_path / "names.txt"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def live(url: str) -> set[tuple[str, str]]:
    with Client(url) as client:
        there = client.keys()
    return {(key.name, key.project) for key in there if key.state == "live"}


def test_each_name_gets_a_key_that_works(run: Run, url: str, names: Path) -> None:
    names.write_text("# the course\nada\n\nbert\n")
    ended = run("keys", "create", "--from", str(names), "--project", "course", "--url", url)
    assert ended.status == 0, ended.err
    made = rows(ended.out)
    assert [(row["name"], row["project"], row["scopes"]) for row in made] == [
        ("ada", "course", "jobs:read jobs:write"), ("bert", "course", "jobs:read jobs:write"),
    ]  # fmt: skip
    for row in made:
        with Client(url, row["key"]) as client:
            assert list(client.jobs()) == []


def test_csv_names_projects_and_scopes_of_each(run: Run, url: str, names: Path) -> None:
    names.write_text('\ufeffname,project,scopes\nada,physics,jobs:read\nbert,,"jobs:read,jobs:write"\ncleo,\n')
    made = rows(run("keys", "create", "--from", str(names), "--project", "rest", "--url", url).out)
    assert [(row["name"], row["project"], row["scopes"]) for row in made] == [
        ("ada", "physics", "jobs:read"), ("bert", "rest", "jobs:read jobs:write"),
        ("cleo", "rest", "jobs:read jobs:write"),
    ]  # fmt: skip


def test_a_file_of_keys_is_for_its_owner_alone_and_replaces_none(
    run: Run, url: str, names: Path, tmp_path: Path
) -> None:
    names.write_text("ada\n")
    out = tmp_path / "keys.csv"
    ended = run("keys", "create", "--from", str(names), "--out", str(out), "--url", url)
    assert (ended.status, ended.out) == (0, "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    (row,) = rows(out.read_text())
    assert row["key"].startswith("gradyard_")
    before = out.read_text()
    names.write_text("bert\n")
    again = run("keys", "create", "--from", str(names), "--out", str(out), "--url", url)
    assert again.status == 1
    assert "nothing was created" in again.err
    assert (out.read_text(), live(url)) == (before, {("ada", "default")})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ada\nbad name\n", "line 2: /name"), ("ada\nbert\nada\n", "line 3: ada of default is in line 1 already"),
        ("ada,physics,jobs:fly\n", "line 1: /scopes"), ("a,b,c,d\n", "line 1: 4 columns"), ("\n#\n", "has no names"),
        ("\udcff", "cannot be read"),
    ],
)  # fmt: skip
def test_a_file_with_a_wrong_line_creates_nothing(run: Run, url: str, names: Path, content: str, said: str) -> None:
    names.write_bytes(content.encode(errors="surrogateescape"))
    ended = run("keys", "create", "--from", str(names), "--url", url)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert live(url) == set()


def test_a_name_that_has_a_key_is_refused_before_any_is_created(run: Run, url: str, names: Path) -> None:
    assert run("keys", "create", "bert", "--project", "course", "--url", url).status == 0
    names.write_text("ada\nbert\n")
    ended = run("keys", "create", "--from", str(names), "--project", "course", "--url", url)
    assert (ended.status, ended.out) == (2, "")
    assert "nothing was created: there are keys already for bert of course" in ended.err
    assert live(url) == {("bert", "course")}


def test_what_was_created_before_a_failure_is_told(
    run: Run, url: str, names: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_key = Client.make_key

    def fails_at_cleo(client: Client, name: str, **more: object) -> object:
        return make_key(client, name if name != "cleo" else "not a name", **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Client, "make_key", fails_at_cleo)
    names.write_text("ada\nbert\ncleo\ndora\n")
    ended = run("keys", "create", "--from", str(names), "--url", url)
    assert ended.status == 2
    assert [row["name"] for row in rows(ended.out)] == ["ada", "bert"]
    assert "2 of 4 keys were created; cleo of default was not, nor any after it" in ended.err


def test_a_name_and_a_file_of_names_are_not_both_taken(run: Run, url: str, names: Path) -> None:
    for arguments in (["ada", "--from", str(names)], [], ["ada", "--out", "keys.csv"]):
        assert run("keys", "create", *arguments, "--url", url).status == 2
    assert live(url) == set()
