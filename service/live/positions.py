"""The ids of messages: how much of each thing a stream has told, in the words of the database.

An id names no moment of a process, so a client goes on with any process of the API, and after a restart. It is made of
one position for each thing of the stream, in the order of the URL. Clients take it for opaque.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from service.http.errors import HeaderInvalid
from service.live.told_members import ToldMembers

LARGEST = 2**63 - 1
_JOB = re.compile(r"(\d{1,19})\.(\d{1,19})(e?)", re.ASCII)
_BATCH = re.compile(r"((?:\d{1,19}-)*\d{1,19})?(e?)(?:\.([\w-]+))?", re.ASCII)


@dataclass(frozen=True)
class JobPosition:
    """Told of a job: its events up to a number, its curve up to a step; `ended`: that it has ended, or is gone."""

    sequence: int = 0
    steps: int = 0
    ended: bool = False

    def __str__(self) -> str:
        return f"{self.sequence}.{self.steps}{'e' if self.ended else ''}"

    @classmethod
    def read(cls, text: str) -> Self:
        """The position of a text. Raises ValueError where it is none."""
        found = _JOB.fullmatch(text)
        if found is None or max(int(found[1]), int(found[2])) > LARGEST:
            raise ValueError(text)
        return cls(int(found[1]), int(found[2]), bool(found[3]))


@dataclass(frozen=True)
class BatchPosition:
    """Told of a batch: how many of its jobs are in each state, and moves of them; `ended`: that it has, or is gone."""

    counts: tuple[int, ...] = ()
    ended: bool = False
    told: ToldMembers = field(default_factory=ToldMembers)

    def __str__(self) -> str:
        moves = f".{self.told}" if self.told.ends else ""
        return "-".join(map(str, self.counts)) + ("e" if self.ended else "") + moves

    @classmethod
    def read(cls, text: str) -> Self:
        """The position of a text. Raises ValueError where it is none."""
        found = _BATCH.fullmatch(text)
        if found is None:
            raise ValueError(text)
        counts = tuple(int(each) for each in (found[1] or "").split("-") if each)
        return cls(counts, bool(found[2]), ToldMembers.read(found[3] or ""))


Position = JobPosition | BatchPosition


def ended(position: Position) -> Position:
    """The position at which all is told."""
    return replace(position, ended=True)


def as_id(positions: Iterable[Position]) -> str:
    """The id of a message after which these are the positions."""
    return ",".join(map(str, positions))


def positions_in(last_event_id: str | None, kinds: Iterable[type[Position]]) -> list[Position]:
    """The positions in a Last-Event-ID, by their kinds; without one, those of the beginning.

    Raises HeaderInvalid where it is not an id of such a stream.
    """
    of_things = list(kinds)
    if not last_event_id:
        return [kind() for kind in of_things]
    parts = last_event_id.split(",")
    try:
        return [kind.read(part) for kind, part in zip(of_things, parts, strict=True)]
    except ValueError:
        raise HeaderInvalid(
            "Last-Event-ID: is not the id of a message of this stream; send the same jobs and batches in the same order"
        ) from None
