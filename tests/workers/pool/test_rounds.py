"""A process that lives and does nothing is found out."""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradyard.processes.children import Child, stop_in_order
from tests.stack.until import until
from workers.pool.keep_up import Post
from workers.pool.rounds import Rounds

HANGS = """
import sys, time
from pathlib import Path
from workers.pool.rounds import Rounds
for _ in range(3):
    Rounds(Path(sys.argv[1])).ended()
    time.sleep(0.1)
time.sleep(600)
"""


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A post whose child hangs after its third round."""
    path = tmp_path / "rounds"
    post = Post(
        Child("maintenance", [sys.executable, "-c", HANGS, str(path)], {}), rounds=Rounds(path), hung_seconds=1.0
    )
    yield post
    stop_in_order([post.child], 5.0)


def test_a_child_that_ends_no_more_rounds_is_killed_and_started_again(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    post.fill()
    first, give_up_at = post.started_at, time.monotonic() + 120
    while post.started_at == first:
        post.fill()
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    said = capsys.readouterr().out
    assert re.search(r"maintenance has ended no round for \d+ s; it is killed", said)
    assert "it starts again" in said


def test_a_pool_that_was_stopped_itself_blames_no_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Rounds(tmp_path / "rounds")
    watched.ended()
    now = time.monotonic()
    monkeypatch.setattr("workers.pool.rounds.time.monotonic", lambda: now)
    watched.silent_seconds()
    now += 3.0
    assert watched.silent_seconds() == 3.0
    now += 3600.0
    assert watched.silent_seconds() == 0.0
    now += 1.0
    assert watched.silent_seconds() == 1.0
    watched.ended()
    assert watched.silent_seconds() == 0.0


@pytest.mark.parametrize("where", ["there", "away"])
def test_maintenance_shows_its_rounds_whether_or_not_the_database_answers(
    tmp_path: Path, migrated_sqlite: Path, where: str
) -> None:
    file = tmp_path / "gradyard.db"
    if where == "there":
        file.write_bytes(migrated_sqlite.read_bytes())
    else:
        file.mkdir()
    environment = {"DATABASE_URL": f"sqlite:///{file}", "GRADYARD_MAINTENANCE_SECONDS": "0.1"}
    path = tmp_path / "rounds"
    child = Child("maintenance", [sys.executable, "-m", "workers.maintenance", "--rounds", str(path)], environment)
    child.start()
    try:
        until(path.exists)
        first = path.stat().st_mtime_ns
        until(lambda: path.stat().st_mtime_ns > first)
    finally:
        stop_in_order([child], 5.0)
