"""A secret whose output is lost: what it opens is said, with how to end that."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradyard import Client
from gradyard.jobs.settings import Settings
from tests.client.real_service import real_service

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FULL = "could not be shown (No space left on device)"


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    """The URL of a real service on a database of its own."""
    with real_service(settings) as there:
        yield there


def shell(line: str) -> subprocess.CompletedProcess[str]:
    command = line.replace("gradyard", f"{sys.executable} -m gradyard", 1)
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True)


@pytest.mark.parametrize("form", ["", "--json"])
def test_a_key_that_was_not_shown_is_named_and_how_to_revoke_it(url: str, form: str) -> None:
    ended = shell(f"gradyard keys create ada {form} --url {url} > /dev/full")
    with Client(url) as client:
        (key,) = client.keys()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-1] == (
        f"gradyard: the key of ada ({key.id}) was created, but {FULL}: `gradyard keys revoke {key.id}`"
    )
    rotated = shell(f"gradyard keys rotate {key.id} {form} --url {url} > /dev/full")
    with Client(url) as client:
        there = client.keys()
    new = next(each for each in there if each.id != key.id)
    assert rotated.stderr.splitlines()[-1].endswith(f"`gradyard keys revoke {new.id}`")


def test_keys_of_a_file_are_all_named(url: str, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("ada\nbert\n")
    ended = shell(f"gradyard keys create --from {names} --json --url {url} > /dev/full")
    with Client(url) as client:
        there = client.keys()
    ids = {key.name: key.id for key in there}
    assert ended.returncode == 1
    assert f"`gradyard keys revoke {ids['ada']} {ids['bert']}`" in ended.stderr


def test_a_webhook_whose_secret_was_not_shown_gets_another(url: str) -> None:
    made = "gradyard webhooks create https://example.org/x --event job.failed"
    ended = shell(f"{made} --url {url} > /dev/full")
    with Client(url) as client:
        (webhook,) = client.webhooks()
    assert ended.returncode == 1
    assert f"{FULL}: `gradyard webhooks rotate {webhook.id}`" in ended.stderr
