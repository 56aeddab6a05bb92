"""Sends a pack to a runner. One that dies before it has begun the pack is replaced, which counts against no job."""

import time
from collections.abc import Callable

from workers.protocol.frame import FrameBroken
from workers.protocol.messages import BegunMessage, TrainMessage
from workers.runner_client.errors import DeviceBroken, RunnerDied, WorkerStops
from workers.runner_client.loads import needs_optim
from workers.runner_client.runner_process import RunnerProcess

TRIES = 3
BEGIN_SECONDS = 15.0  # for a live runner to confirm that it has the pack


def send_pack(runner: RunnerProcess, train: TrainMessage, give_up: Callable[[], bool]) -> None:
    """Return once a runner has confirmed that it has the pack.
    Raises RunnerDied where three in a row did not, WorkerStops where `give_up()` is true meanwhile, DeviceBroken.
    """
    failure = RunnerDied("the runner did not confirm that it has the pack")
    for _ in range(TRIES):
        try:
            runner.ensure(give_up, optim=needs_optim(train.trainer))
            runner.send(train)
            if _begins(runner):
                return
        except (DeviceBroken, WorkerStops):
            raise
        except RunnerDied as error:
            failure = error
        except FrameBroken as error:
            failure = RunnerDied(f"the runner sent what is no message: {error}")
        runner.end()
    raise failure


def _begins(runner: RunnerProcess) -> bool:
    until = time.monotonic() + BEGIN_SECONDS
    while time.monotonic() < until:
        message = runner.receive(0.2)
        if message is not None:
            return isinstance(message, BegunMessage)
    return False
