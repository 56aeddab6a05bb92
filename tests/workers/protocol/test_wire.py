"""Messages cross a socket whole and in order."""

import socket
import threading

import numpy as np
import pytest

from workers.protocol.messages import StopMessage, TrainMessage
from workers.protocol.wire import Wire, WireClosed


def train_message(size: int) -> TrainMessage:
    return TrainMessage(
        trainer="module:Class", fallback=None, members=[], steps=size, start_step=0, segment_seconds=0.2,
        record_seconds=5.0, state={"a": np.ones(size)}, data=[], data_index=[],
    )  # fmt: skip


def test_messages_cross_a_socket_whole_and_in_order_however_large() -> None:
    one, other = socket.socketpair()
    ours, theirs = Wire(one), Wire(other)
    sizes = [0, 1, 5_000_000, 3]

    def send_all() -> None:
        for size in sizes:
            ours.send(train_message(size))
        ours.send(StopMessage())

    sender = threading.Thread(target=send_all)
    sender.start()
    received = [theirs.receive(10.0) for _ in sizes]
    assert [each.state["a"].size for each in received if isinstance(each, TrainMessage)] == sizes
    assert theirs.receive(10.0) == StopMessage()
    sender.join()
    assert theirs.receive(0.01) is None
    ours.close()
    with pytest.raises(WireClosed):
        theirs.receive(1.0)
    theirs.close()
