"""Ids that sort by age."""

import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from gradyard.jobs import identifiers
from gradyard.jobs.identifiers import new_id, new_ids


@pytest.fixture
def as_new(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has made no id and follows no shared clock, and that leaves none behind."""
    with monkeypatch.context() as patch:
        patch.setattr(identifiers, "_last", 0)
        patch.setattr(identifiers, "_ahead_of_steady_ns", None)
        yield


def seconds_of(identifier: UUID) -> float:
    return (identifier.int >> 80) / 1000


def test_ids_are_of_version_7_and_rise() -> None:
    ids = [*(new_id() for _ in range(5000)), *new_ids(5000), new_id()]
    assert {each.version for each in ids} == {7}
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.usefixtures("as_new")
def test_ids_tell_the_time_of_a_shared_clock_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds_of(new_id()) == pytest.approx(time.time(), abs=60)
    identifiers.follow(time.time() + 7200)
    assert seconds_of(new_id()) == pytest.approx(time.time() + 7200, abs=60)
    monkeypatch.setattr(time, "time_ns", lambda: 0)  # a step of the host's own clock changes nothing
    assert seconds_of(new_id()) == pytest.approx(time.time() + 7200, abs=60)


@pytest.mark.usefixtures("as_new")
def test_ids_of_a_process_rise_although_its_clock_was_set_back() -> None:
    identifiers.follow(2_000_000_000.0)
    before = new_id()
    identifiers.follow(1_999_999_000.0)
    assert new_id() > before
