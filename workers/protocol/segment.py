"""A stretch of steps as the supervisor reads it from the runner's frame; `segment_frames` is how it was told."""

from typing import Any

import numpy as np

from workers.protocol.wire import Frame

Arrays = dict[str, np.ndarray]


class Stretch:
    """Consecutive steps of a pack, a row for each member that trained them.

    `losses` (rows, steps); `metrics` by name, (rows, measured steps), of the steps that `every` divides; `state` and
    `found` by name, with a leading axis of rows; `results` a dict for each row, at the end alone.
    """

    def __init__(self, frame: Frame) -> None:
        fields = frame.fields
        self.start_step: int = fields["start_step"]
        self.seconds, self.setup_seconds = float(fields["seconds"]), float(fields["setup_seconds"])
        self.rows: dict[int, int] = {index: row for row, index in enumerate(fields["members"])}  # by member
        self.losses, self.every = frame.arrays["losses"], int(fields.get("every", 1))
        self.metrics, self.state, self.found = (_named(frame, kind) for kind in ("metric.", "state.", "found."))
        self.whole: bool = fields.get("whole", False)  # it carries the state after its last step
        self.results: list[dict[str, Any]] | None = fields.get("results")
        self.stopped: bool = fields["stopped"]

    @property
    def finished(self) -> bool:
        """Whether the runner says nothing more of this pack."""
        return self.results is not None or self.stopped

    @property
    def state_bytes(self) -> int:
        """Of one member."""
        return sum(array.nbytes for array in self.state.values()) // max(1, len(self.rows))

    def state_of(self, member: int) -> Arrays | None:
        """What a member's resume needs; None where the stretch does not carry it."""
        row = self.rows.get(member)
        return None if row is None or not self.whole else {name: array[row] for name, array in self.state.items()}

    def result_of(self, member: int) -> dict[str, Any]:
        """What the member found, coefficients and all."""
        assert self.results is not None
        return self.results[self.rows[member]]

    def arrays_of(self, member: int) -> Arrays:
        """The arrays that the member found."""
        return {name: array[self.rows[member]] for name, array in self.found.items()}

    def measured_before(self, step: int) -> int:
        """How many of its steps before that one are measured."""
        return -(-step // self.every) - -(-self.start_step // self.every)


def _named(frame: Frame, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): each for name, each in frame.arrays.items() if name.startswith(prefix)}
