"""What a supervisor tells its runner."""

from dataclasses import dataclass
from typing import Any, ClassVar

from workers.protocol.frame import Arrays
from workers.protocol.messages.message import Message


@dataclass(frozen=True)
class TrainMessage(Message):
    """A pack to train.

    `trainer` and `fallback` are dotted paths ("module:Class"); `fallback` is None where the pack must not be trained
    by another. `members` are the resolved parameters of each job. `state` is stacked along the member axis, empty at
    step 0. `data` holds each distinct data set that the specs carry, once; `data_index` has for each member the
    position of its own in `data`, or None where its description is enough to make it.
    """

    kind: ClassVar[str] = "train"
    trainer: str
    fallback: str | None
    members: list[dict[str, Any]]
    steps: int
    start_step: int
    segment_seconds: float
    record_seconds: float
    state: Arrays
    data: list[Arrays]
    data_index: list[int | None]

    def members_with_data(self) -> list[dict[str, Any]]:
        """The members as a trainer takes them: the arrays of their data sets are back in `dataset`, read-only."""
        for group in self.data:
            for array in group.values():
                array.flags.writeable = False  # members share them
        return [
            member if index is None else member | {"dataset": member["dataset"] | self.data[index]}
            for member, index in zip(self.members, self.data_index, strict=True)
        ]


@dataclass(frozen=True)
class DropMessage(Message):
    """These members of the pack, by their index in the TrainMessage, train no further."""

    kind: ClassVar[str] = "drop"
    members: list[int]


@dataclass(frozen=True)
class StopMessage(Message):
    """Train no further, and send the state reached so far."""

    kind: ClassVar[str] = "stop"
