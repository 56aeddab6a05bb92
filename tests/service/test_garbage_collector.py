"""The collector rests for large requests, and goes on after the last of them."""

import gc

import pytest

from service.garbage_collector import collector_at_rest


def test_the_collector_goes_on_after_the_last_request_also_where_one_fails() -> None:
    assert gc.isenabled()
    with collector_at_rest():
        with pytest.raises(ValueError, match="too much"), collector_at_rest():
            raise ValueError("too much")
        assert not gc.isenabled()
    assert gc.isenabled()
