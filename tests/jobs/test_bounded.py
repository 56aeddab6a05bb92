"""The limit of memory that other tests work under is the same whatever ran before them."""

import pytest

from tests.jobs.bounded import bounded

PIECE = 2**16  # bytes; so small a piece comes from the heap, which keeps it
WHOLE = 1024 * PIECE


def test_memory_that_was_given_back_to_the_process_does_not_widen_it() -> None:
    held = [bytearray(PIECE) for _ in range(2048)]
    last = bytearray(PIECE)  # keeps the heap from shrinking
    held.clear()
    with pytest.raises(MemoryError), bounded(WHOLE // 2):
        bytearray(WHOLE)
    assert len(last) == PIECE


def test_so_much_can_be_had_within_it() -> None:
    with bounded(WHOLE):
        assert len(bytearray(WHOLE // 2)) == WHOLE // 2
