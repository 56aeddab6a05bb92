"""A pack whose data sets travel as arrays has the bits of one whose trainer gets the lists of the request."""

import socket
import threading

import numpy as np
import pytest

from tests.workers.runner.messages import is_last, train_message
from tests.workers.trainers.packs import pack, train, trainer_of
from workers.protocol.messages import SegmentMessage
from workers.protocol.wire import Wire
from workers.runner.main import _make_trainer
from workers.runner.training import Training
from workers.supervisor.data.pack_data import PackData

STAGES = {"numpy": "workers.trainers.stage1_numpy:Trainer", "autograd": "workers.trainers.stage3_autograd:Trainer"}


@pytest.mark.parametrize("stage", STAGES)
def test_arrays_train_to_the_bits_of_lists(stage: str) -> None:
    x = np.linspace(-1, 1, 101)
    data = [{"kind": "inline", "x": x.tolist(), "y": y.tolist()} for y in (np.sin(x), np.cos(x))]
    members = [each | {"dataset": data[index % 2]} for index, each in enumerate(pack(stage, 3))]
    carried = PackData(members)
    assert carried.index == [0, 1, 0]
    message = train_message(carried.specs, 20, trainer=STAGES[stage], data=carried.sets, data_index=carried.index)
    assert curves(message) == train(trainer_of(members), 20).tobytes()


def curves(message: object) -> bytes:
    """The losses that a runner sends for this pack, after the message crossed a socket."""
    ours, theirs = map(Wire, socket.socketpair())
    sender = threading.Thread(target=ours.send, args=(message,))
    sender.start()
    received = theirs.receive(10)
    sender.join()
    Training(theirs, received, lambda path, members: _make_trainer(path, members, "cpu")).run()  # type: ignore[arg-type]
    segments: list[SegmentMessage] = []
    while not segments or not is_last(segments[-1]):
        segment = ours.receive(10)
        assert isinstance(segment, SegmentMessage), segment
        segments.append(segment)
    ours.close()
    theirs.close()
    return np.concatenate([each.losses for each in segments], axis=1).tobytes()
