"""Frames that were forged, or damaged on their way, in both directions: read or refused, in bounded time."""

import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzzing import FUZZ
from tests.workers.protocol.test_messages import MESSAGES, SEGMENT
from workers.protocol.frame import HEAD, Frame, FrameBroken, decode, encode
from workers.protocol.messages import Message, message_of
from workers.protocol.messages.fitting import fits
from workers.protocol.wire import Wire, WireClosed

FRAMES = FUZZ * 10 or 300
WHOLE = [encode(each.to_frame()) for each in MESSAGES]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3), max_leaves=8,
)  # fmt: skip
DTYPES = st.sampled_from(["<f4", "<f8", "|O", "|V8", "<U9", ">f8", "<f8,<f8", "(2,)<f8", "f", "", "<M8[s]", "<i3"])
LENGTHS = st.integers(-3, 3) | st.sampled_from([2**31, 2**62, 2**64, 10**30])
ARRAYS = st.lists(
    st.tuples(st.text(max_size=9), DTYPES | ANYTHING, st.lists(LENGTHS, max_size=4) | ANYTHING), max_size=3
)


def with_header(header: object, body: bytes = b"") -> bytes:
    """A frame with that header, and the right sizes in its head."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return HEAD.pack(b"GYD1", len(text), len(body)) + text + body


def read(data: bytes) -> Message | None:
    """The message; None where it is refused, by the one error that says so."""
    with suppress(FrameBroken):
        return message_of(decode(data))
    return None


@settings(max_examples=FRAMES)
@given(st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_message_is_read_or_refused(whole: bytes, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(whole)
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    read(bytes(damaged))


@settings(max_examples=FRAMES)
@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_with_another_field_is_read_only_where_it_fits(message: Message, data: st.DataObject) -> None:
    frame = message.to_frame()
    name = data.draw(st.sampled_from([*frame.fields, "more"]))
    header = {"kind": frame.kind, "fields": frame.fields | {name: data.draw(ANYTHING)}, "arrays": []}
    whole = encode(Frame(frame.kind, {}, frame.arrays))
    size = HEAD.unpack_from(whole)[1]
    header["arrays"] = json.loads(whole[HEAD.size : HEAD.size + size])["arrays"]
    received = read(with_header(header, whole[HEAD.size + size :]))
    if received is not None:
        kinds: dict[str, Any] = {each.name: each.type for each in fields(received)}  # type: ignore[arg-type]
        plain = set(frame.fields) - {"state", "data", "results"}
        assert all(fits(getattr(received, each), kinds[each]) for each in plain)


@settings(max_examples=FRAMES)
@given(
    st.sampled_from([each.kind for each in MESSAGES]) | ANYTHING, ANYTHING, ARRAYS | ANYTHING, st.binary(max_size=64)
)
def test_a_forged_header_is_read_or_refused(kind: object, its_fields: object, arrays: object, body: bytes) -> None:
    read(with_header({"kind": kind, "fields": its_fields, "arrays": arrays}, body))


@pytest.mark.parametrize("header", [
    b"[" * 200_000, b'{"kind": "stop", "fields": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b'}, "arrays": []}',
    b"\xff", b"null", b"7", b'{"kind": "stop", "fields": {}, "arrays": [["a", "|O", [0]]]}',
    b'{"kind": "drop", "fields": {"members": [NaN]}, "arrays": []}',
    b'{"kind": "drop", "fields": {"members": [' + b"9" * 5000 + b']}, "arrays": []}',
    b'{"kind": "stop", "fields": {}, "arrays": [["a", "<f8", [-1]]]}',
    b'{"kind": "stop", "fields": {}, "arrays": [["a", "<f8", [0, 1000000000000]]]}',
    b'{"kind": "train", "fields": {"data": 1000000000000}, "arrays": []}',
    b'{"kind": "segment", "fields": {"state": {"a": 1}}, "arrays": []}',
    b'{"kind": "begun", "fields": {}, "arrays": []}and more',
])  # fmt: skip
def test_a_header_that_asks_for_much_is_refused_at_once(header: bytes) -> None:
    began = time.process_time()
    assert read(with_header(header)) is None
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize("field", [
    {"seconds": float("inf")}, {"seconds": "1"}, {"members": [True, 2]}, {"members": [0.0, 2]}, {"start_step": 2**63},
    {"stopped": 1}, {"every": None}, {"results": [[True, {"a": "x"}, None, None]] * 2}, {"results": [[True]] * 2},
    {"results": [[True, None, "\ud800", None]] * 2}, {"results": [[True, None, "y" * 10_001, None]] * 2},
    {"results": [[True, None, {"a": 1}, None]] * 2}, {"metrics": None}, {"artifacts": None}, {"state": {"a": 1}},
])  # fmt: skip
def test_a_segment_whose_field_does_not_fit_is_refused(field: dict[str, Any]) -> None:
    frame = SEGMENT.to_frame()
    with pytest.raises(FrameBroken, match="SegmentMessage"):
        message_of(Frame(frame.kind, frame.fields | field, frame.arrays))


@pytest.mark.parametrize("frame", [
    Frame("stop", {"\ud800" * 1000: 1}), Frame("x" * 1000 + "\u202e"), Frame("stop", {}, {"\x1b[2J": np.ones(1)}),
])  # fmt: skip
def test_what_a_refusal_quotes_is_short_and_can_be_written(frame: Frame) -> None:
    with pytest.raises(FrameBroken) as refused:
        message_of(decode(encode(frame)))
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 2000


@pytest.mark.parametrize("frame", [
    Frame("a kind", {"loss": float("nan")}), Frame("a kind", {}, {"a": np.array([None])}),
    Frame("a kind", {}, {"a": np.zeros(2, "f8,f8")}), Frame("a kind", {"a": object()}),
])  # fmt: skip
def test_what_the_other_end_would_refuse_is_not_sent(frame: Frame) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode(frame)


@settings(max_examples=FRAMES)
@given(st.lists(st.binary(max_size=40) | st.sampled_from(WHOLE), max_size=5))
def test_a_wire_gives_messages_or_one_of_its_errors_whatever_comes(parts: list[bytes]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"".join(parts))
        theirs.shutdown(socket.SHUT_WR)
        wire = Wire(ours)
        with pytest.raises((WireClosed, FrameBroken)):
            _read_to_the_end(wire)


def _read_to_the_end(wire: Wire) -> None:
    while wire.receive(5.0) is not None:
        pass


def test_a_reader_does_not_wait_longer_for_bytes_that_come_one_by_one() -> None:
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        theirs.sendall(HEAD.pack(b"GYD1", 2**20, 0))
        while not stop.wait(0.01):
            theirs.sendall(b" ")

    with ours, theirs:
        dripping = threading.Thread(target=drip)
        dripping.start()
        began = time.monotonic()
        assert Wire(ours).receive(0.2) is None
        assert time.monotonic() - began < 10.0
        stop.set()
        dripping.join()
