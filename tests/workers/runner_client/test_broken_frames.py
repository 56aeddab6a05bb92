"""Frames that one end cannot read: the pack is judged, and a runner that begins so is replaced at no job's cost."""

import socket

import pytest

from gradyard.jobs.settings import Settings
from tests.workers.runner.messages import train_message
from tests.workers.trainers.packs import member
from workers.protocol.frame import Frame, FrameBroken, encode
from workers.protocol.messages import BegunMessage, FailedMessage
from workers.protocol.wire import Wire
from workers.runner_client.errors import RunnerDied
from workers.runner_client.runner_process import RunnerProcess
from workers.runner_client.send_pack import TRIES, send_pack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # a runner knows none
]


@pytest.mark.usefixtures("quick_starts")
def test_a_pack_that_a_runner_cannot_read_has_begun_and_fails(settings: Settings) -> None:
    runner = RunnerProcess(settings)
    runner.ensure()
    assert runner._wire is not None
    runner._wire._end.sendall(encode(Frame("train", {"steps": -1})))
    assert runner.receive(60.0) == BegunMessage()
    failed = runner.receive(60.0)
    assert isinstance(failed, FailedMessage)
    assert "FrameBroken: not a TrainMessage" in failed.message
    with pytest.raises(RunnerDied):
        runner.receive(60.0)
    runner.close()


def test_runners_that_answer_a_pack_with_what_is_no_message_are_replaced_and_given_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, received = RunnerProcess(settings), []

    def receive(seconds: float) -> None:
        received.append(seconds)
        raise FrameBroken("a length of another program")

    monkeypatch.setattr(runner, "ensure", lambda give_up, optim: None)
    monkeypatch.setattr(runner, "send", lambda message: None)
    monkeypatch.setattr(runner, "receive", receive)
    with pytest.raises(RunnerDied, match="a length of another program"):
        send_pack(runner, train_message([member("numpy")], 1), lambda: False)
    assert len(received) == TRIES


def test_a_runner_whose_first_words_are_no_message_is_not_started(settings: Settings) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"Segmentation fault (core dumped)\n")
        runner = RunnerProcess(settings)
        runner._wire = Wire(ours)
        with pytest.raises(RunnerDied, match="its first message is none"):
            runner._receive_first()
