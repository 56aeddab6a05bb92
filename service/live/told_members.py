"""How many moves of each job of a batch a stream has told, as runs of jobs whose ids follow one another.

A run is named by the id of its last job, so a job that is deleted, or added by a retry, changes nothing for the others.
Jobs are claimed about in their order: a batch of 10,000 has some dozens of runs.
"""

import base64
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Self
from uuid import UUID

ALL = -1  # of a job that has ended: every move is told
MOST_LETTERS = 3000  # of the text: it is a part of a request's header
_LAST = 2**64 - 1


@dataclass(frozen=True)
class ToldMembers:
    """`ends`: the last job of each run, as the first 64 bits of its id. `told`: moves of each of its jobs, or ALL.

    Of jobs beyond the last run nothing is told.
    """

    ends: tuple[int, ...] = ()
    told: tuple[int, ...] = ()

    def of(self, job_id: UUID) -> int:
        """How many moves of this job are told, or ALL."""
        run = bisect_left(self.ends, job_id.int >> 64)
        return self.told[run] if run < len(self.ends) else 0

    @property
    def settled(self) -> UUID:
        """The greatest id up to which all is told of each job, for good."""
        return _greatest(self.ends[0]) if self.told[:1] == (ALL,) else UUID(int=0)

    @property
    def last(self) -> UUID:
        """The greatest id up to which something is told."""
        return _greatest(self.ends[-1]) if self.ends else UUID(int=0)

    def after(self, members: Iterable[UUID], reached: UUID, moves: Mapping[UUID, int]) -> Self:
        """What is told when it is as in `moves` of some jobs.

        members: every job of the batch that comes after `settled` and not after `reached`, and any of the later ones.
        """
        told = {self.ends[0]: ALL} if self.told[:1] == (ALL,) else {}
        told |= {end: count for end, count in zip(self.ends, self.told, strict=True) if end > reached.int >> 64}
        told |= {member.int >> 64: moves.get(member, self.of(member)) for member in members}
        runs = [(list(run)[-1][0], count) for count, run in groupby(sorted(told.items()), key=lambda one: one[1])]
        if runs and runs[-1][1] == 0:
            runs.pop()
        return type(self)(tuple(end for end, _ in runs), tuple(count for _, count in runs))

    def __str__(self) -> str:
        gaps = (end - before for before, end in zip((0, *self.ends), self.ends, strict=False))
        numbers = chain.from_iterable(zip(gaps, (count + 1 for count in self.told), strict=True))
        return base64.urlsafe_b64encode(b"".join(map(_written, numbers))).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """What a text says. Raises ValueError where it says nothing."""
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        numbers, ends, end = list(_read(content)), list[int](), 0
        for gap in numbers[::2]:
            end += gap
            ends.append(end)
        told = [each - 1 for each in numbers[1::2]]
        if len(numbers) % 2 or 0 in numbers[::2] or end > _LAST or any(each >= 2**31 for each in told):
            raise ValueError(text)
        return cls(tuple(ends), tuple(told))


def _greatest(beginning: int) -> UUID:
    """The greatest id with these first 64 bits."""
    return UUID(int=beginning << 64 | _LAST)


def _written(number: int) -> bytes:
    """A number in groups of seven bits, the lowest first; all but the last have the eighth bit."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def _read(content: bytes) -> Iterator[int]:
    number = shift = 0
    for group in content:
        number |= (group & 127) << shift
        shift += 7
        if group < 128:
            yield number
            number = shift = 0
        elif shift > 63 + 7:
            raise ValueError(content)
    if shift:
        raise ValueError(content)
