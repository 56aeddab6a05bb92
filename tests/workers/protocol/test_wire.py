"""Frames: what goes in comes out, and what is no frame is refused."""

import socket
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.protocol.wire import Frame, FrameBroken, Wire, WireClosed, decode, encode


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", ">f4", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 5), (4, 0, 2)])
def test_arrays_come_out_as_they_went_in(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).normal(size=shape).astype(dtype)
    frame = decode(encode(Frame("segment", {"step": 3}, {"losses": array, "again": array.T})))
    assert (frame.kind, frame.fields) == ("segment", {"step": 3})
    np.testing.assert_array_equal(frame.arrays["losses"], array)
    np.testing.assert_array_equal(frame.arrays["again"], array.T)
    assert frame.arrays["losses"].dtype == np.dtype(dtype).newbyteorder("<")


@given(st.binary(max_size=200))
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameBroken):
        decode(data)


@given(st.integers(0, 60))
def test_a_frame_that_was_cut_is_refused(cut: int) -> None:
    whole = encode(Frame("checkpoint", {}, {"a": np.arange(3.0)}))
    with pytest.raises(FrameBroken):
        decode(whole[:cut])


def test_frames_cross_a_socket_whole_and_in_order_however_large() -> None:
    one, other = socket.socketpair()
    ours, theirs = Wire(one), Wire(other)
    sizes = [0, 1, 5_000_000, 3]

    def send_all() -> None:
        for size in sizes:
            ours.send(Frame("f", {"n": size}, {"x": np.ones(size)}))

    sender = threading.Thread(target=send_all)
    sender.start()
    received = [theirs.receive(10.0) for _ in sizes]
    sender.join()
    assert [frame.arrays["x"].size for frame in received if frame] == sizes
    assert theirs.receive(0.01) is None
    ours.close()
    with pytest.raises(WireClosed):
        theirs.receive(1.0)
    theirs.close()
