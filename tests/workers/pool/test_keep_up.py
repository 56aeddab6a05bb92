"""A child that dies is started again, later each time that it dies young."""

import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from gradyard.processes.children import Child, stop_in_order
from workers.pool import keep_up
from workers.pool.keep_up import FIRST_PAUSE_SECONDS, Post

DIES = [sys.executable, "-c", "raise SystemExit(7)"]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A post whose child ends at once with status 7."""
    post = Post(Child("gpu-3", DIES, {}, tmp_path / "log"))
    yield post
    stop_in_order([post.child], 5.0)


def fill(post: Post, seconds: float = 120.0) -> None:
    """Fill the post until its child is started anew."""
    before, give_up_at = post.started_at, time.monotonic() + seconds
    while post.started_at == before:
        post.fill()
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def test_the_pause_before_a_start_doubles_while_the_child_dies_young(
    post: Post, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_up, "LONGEST_PAUSE_SECONDS", 0.5)
    monkeypatch.setattr(keep_up, "STEADY_SECONDS", 600.0)
    fill(post)
    begun = []
    for _ in range(4):
        fill(post)
        begun.append(time.monotonic())
    pauses = [later - earlier for earlier, later in pairwise(begun)]
    assert [pause >= least for pause, least in zip(pauses, (0.4, 0.5, 0.5), strict=True)] == [True] * 3
    assert post.pause_seconds == 0.5
    assert "gpu-3 ended with status 7; it starts again in 0 s" in capsys.readouterr().out


def test_a_child_that_lived_for_a_while_starts_again_without_a_pause(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_up, "STEADY_SECONDS", 0.0)
    post.pause_seconds = 60.0
    fill(post)
    fill(post, seconds=50.0)
    assert post.pause_seconds == 2 * FIRST_PAUSE_SECONDS
