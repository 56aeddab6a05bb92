"""A worker waits for a file no longer than it must."""

import threading
import time

import pytest

from gradyard.jobs.errors import ContentMissing, ContentUnavailable
from workers.supervisor.data.bounded_reading import read_beside


def needed() -> None:
    """Nothing ends the waiting."""


def test_what_was_read_is_returned() -> None:
    assert read_beside(lambda: 7, needed) == 7


def test_what_the_reading_raises_is_raised() -> None:
    def gone() -> int:
        raise ContentMissing("gone")

    with pytest.raises(ContentMissing, match="gone"):
        read_beside(gone, needed)


def test_a_place_that_hangs_is_given_up_after_a_while() -> None:
    hangs = threading.Event()
    with pytest.raises(ContentUnavailable, match=r"not read within 0\.3 s"):
        read_beside(hangs.wait, needed, 0.3)
    hangs.set()


def test_a_file_that_is_no_longer_needed_is_not_waited_for() -> None:
    hangs, began = threading.Event(), time.monotonic()
    with pytest.raises(ContentUnavailable, match="asked to stop"):
        read_beside(hangs.wait, lambda: "asked to stop" if time.monotonic() - began > 0.2 else None)
    hangs.set()
