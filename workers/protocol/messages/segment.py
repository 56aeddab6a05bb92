"""The losses of consecutive steps, and what is known after the last of them."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from workers.protocol.frame import Arrays, Frame, FrameBroken
from workers.protocol.messages.message import Message

MOST_FORMULA = 10_000
"""Characters of a formula. Ten coefficients take 300."""


class MemberResult(NamedTuple):
    """The result of one member; coefficients and formula are None where it has none, or where it is not finite.

    They are in the units of the data as sent. `scaled_coefficients` are those that were trained, where that was scaled.
    """

    finite: bool
    coefficients: dict[str, float] | None
    formula: str | None
    scaled_coefficients: dict[str, float] | None = None


@dataclass(frozen=True)
class SegmentMessage(Message):
    """Consecutive steps of a pack, one row for each member that trained them.

    `members` are the indices of the rows in the TrainMessage. `losses` (rows, steps). `metrics` by name, each
    (rows, measured steps), of the steps that `every` divides. `state` by name with a leading axis of rows, after the
    last step; None where the segment carries none. `results`, one a row, `artifacts`, by name with a leading axis of
    rows, and `final_metrics`, (rows,) by name, measured after the last step, come with the last segment alone.
    `stopped`: the runner ends the pack here because it was told to.
    """

    kind: ClassVar[str] = "segment"
    members: list[int]
    start_step: int
    losses: np.ndarray
    seconds: float
    setup_seconds: float
    stopped: bool = False
    every: int = 1
    metrics: Arrays = field(default_factory=dict)
    state: Arrays | None = None
    results: list[MemberResult] | None = None
    artifacts: Arrays = field(default_factory=dict)
    final_metrics: Arrays = field(default_factory=dict)

    @classmethod
    def from_frame(cls, frame: Frame) -> Self:
        """The message of a frame of this kind. Raises FrameBroken where a field is missing or does not fit."""
        segment, results = super().from_frame(frame), frame.fields.get("results")
        return segment if results is None else replace(segment, results=[_result_of(each) for each in results])

    @property
    def end_step(self) -> int:
        """The step after its last."""
        return self.start_step + self.losses.shape[1]

    @property
    def finished(self) -> bool:
        """Whether this is the runner's last message on the pack."""
        return self.results is not None or self.stopped

    @property
    def state_bytes(self) -> int:
        """Bytes of one member's state."""
        return sum(array.nbytes for array in (self.state or {}).values()) // max(1, len(self.members))

    @cached_property
    def rows(self) -> dict[int, int]:
        """The row of each member."""
        return {member: row for row, member in enumerate(self.members)}

    def state_of(self, member: int) -> Arrays | None:
        """The state of a member, without its axis; None where the segment does not carry it."""
        row = self.rows.get(member)
        return None if row is None or self.state is None else {name: each[row] for name, each in self.state.items()}

    def result_of(self, member: int) -> MemberResult:
        """The result of a member, of the last segment alone."""
        assert self.results is not None
        return self.results[self.rows[member]]

    def artifacts_of(self, member: int) -> Arrays:
        """The arrays that a member found, by name."""
        return {name: array[self.rows[member]] for name, array in self.artifacts.items()}

    def final_metrics_of(self, member: int) -> dict[str, float]:
        """What the final weights of a member measure, by name."""
        return {name: float(values[self.rows[member]]) for name, values in self.final_metrics.items()}

    def measured_before(self, step: int) -> int:
        """The number of its measured steps before that step."""
        return -(-step // self.every) - -(-self.start_step // self.every)


def _result_of(values: list[Any]) -> MemberResult:
    result = MemberResult(*values)
    if len(result.formula or "") > MOST_FORMULA:
        raise FrameBroken(f"not a SegmentMessage: a formula has more than {MOST_FORMULA:,} characters")
    return result
