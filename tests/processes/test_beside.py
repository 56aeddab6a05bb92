"""A call on a thread of its own gives what the call gives, and can be given up."""

import threading

import pytest

from gradyard.processes.beside import Beside


def test_what_the_call_returns_is_its_answer() -> None:
    asking = Beside(lambda: 7, "seven")
    assert asking.wait(5.0)
    assert asking.answer() == 7


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_the_call_raises_is_raised_where_the_answer_is_asked_for(error: type[BaseException]) -> None:
    def fails() -> None:
        raise error("the disk")

    asking = Beside(fails, "fails")
    assert asking.wait(5.0)
    with pytest.raises(error, match="the disk"):
        asking.answer()


def test_a_call_that_hangs_is_waited_for_no_longer_than_one_wants() -> None:
    goes_on = threading.Event()
    asking = Beside(goes_on.wait, "hangs")
    assert not asking.has_ended()
    assert not asking.wait(0.01)
    goes_on.set()
    assert asking.wait(5.0)
    assert asking.has_ended()
    assert asking.answer() is True
