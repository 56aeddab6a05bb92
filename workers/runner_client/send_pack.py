"""A pack goes to a runner. One that died before it had the pack, idle or spare, is nobody's victim."""

import time
from collections.abc import Callable

from workers.protocol.wire import Frame
from workers.runner_client.errors import DeviceBroken, RunnerDied
from workers.runner_client.runner_process import RunnerProcess

TRIES = 3
BEGIN_SECONDS = 15.0  # for a live runner to say that it has the pack


def send_pack(runner: RunnerProcess, train: Frame, give_up: Callable[[], bool]) -> None:
    """Return once a runner said that it has the pack; RunnerDied where one after the other does not."""
    why = RunnerDied("it did not say that it has the pack")
    for _ in range(TRIES):
        try:
            runner.ensure(give_up)
            runner.send(train)
            if _begins(runner):
                return
        except DeviceBroken:
            raise
        except RunnerDied as error:
            why = error
        runner.end()
    raise why


def _begins(runner: RunnerProcess) -> bool:
    until = time.monotonic() + BEGIN_SECONDS
    while time.monotonic() < until:
        frame = runner.receive(0.2)
        if frame is not None:
            return frame.kind == "begun"
    return False
