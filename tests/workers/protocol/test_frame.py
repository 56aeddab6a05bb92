"""A frame decodes to what was encoded, and bytes that are not a frame are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.protocol.frame import Frame, FrameBroken, decode, encode


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", ">f4", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 5), (4, 0, 2)])
def test_arrays_come_out_as_they_went_in(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).normal(size=shape).astype(dtype)
    frame = decode(encode(Frame("a kind", {"step": 3}, {"losses": array, "again": array.T})))
    assert (frame.kind, frame.fields) == ("a kind", {"step": 3})
    np.testing.assert_array_equal(frame.arrays["losses"], array)
    np.testing.assert_array_equal(frame.arrays["again"], array.T)
    assert frame.arrays["losses"].dtype == np.dtype(dtype).newbyteorder("<")


@given(st.binary(max_size=200))
def test_bytes_that_are_not_a_frame_are_refused(data: bytes) -> None:
    with pytest.raises(FrameBroken):
        decode(data)


@given(st.integers(0, 60))
def test_a_frame_that_was_cut_is_refused(cut: int) -> None:
    whole = encode(Frame("a kind", {}, {"a": np.arange(3.0)}))
    with pytest.raises(FrameBroken):
        decode(whole[:cut])
