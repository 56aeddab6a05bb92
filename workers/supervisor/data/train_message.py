"""What a runner is sent to begin a pack, with the data of its members."""

from collections.abc import Sequence

from workers.protocol.frame import Arrays
from workers.protocol.messages import TrainMessage
from workers.supervisor.data.bounded_reading import read_beside
from workers.supervisor.pack import Pack
from workers.supervisor.worker_context import WorkerContext


def train_message(context: WorkerContext, pack: Pack, states: Sequence[Arrays]) -> TrainMessage:
    """The message for a pack with these states of its members. Of a pack on files it may take a while.

    Raises ContentUnavailable where a file cannot be read now, where the worker is asked to stop or a member is
    cancelled meanwhile, FileGone where it is not what it was, DatabaseUnavailable as `retried` does.
    """
    seconds = context.settings.segment_seconds, context.settings.record_seconds

    def make() -> TrainMessage:
        return pack.train_message(list(states), *seconds, context.files)

    def why_not() -> str | None:
        if context.stopping():
            return "its worker was asked to stop while it read the file"
        return "a job of its pack was cancelled while its file was read" if context.heartbeat.cancelled() else None

    return context.retried(lambda: read_beside(make, why_not) if pack.has_files else make())
