"""A pack for a runner, and what the runner sends of it."""

from typing import Any

from workers.protocol.messages import FailedMessage, Message, SegmentMessage, TrainMessage


def train_message(members: list[dict[str, Any]], steps: int, **options: Any) -> TrainMessage:
    """A pack from step 0 on, in segments as short as possible and without records before the end."""
    wanted: dict[str, Any] = {
        "trainer": "module:Class", "fallback": None, "start_step": 0, "segment_seconds": 1e-9,
        "record_seconds": 3600.0, "state": {}, "data": [], "data_index": [None] * len(members),
    }  # fmt: skip
    return TrainMessage(members=members, steps=steps, **wanted | options)


def is_last(message: Message) -> bool:
    """Whether the runner sends nothing more on its pack."""
    return isinstance(message, FailedMessage) or (isinstance(message, SegmentMessage) and message.finished)
