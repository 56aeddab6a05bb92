"""What the runner asks of a trainer. Any class of this shape can train, also one of a plug-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Member: TypeAlias = Mapping[str, Any]
"""The resolved parameters of one job: every key present, every default filled in."""

Array: TypeAlias = npt.NDArray[Any]

Losses: TypeAlias = "npt.NDArray[Any] | torch.Tensor"
"""One loss per member, shape (members,), in the dtype of the stage; a tensor is detached and may still be computing."""


class MemberError(Exception):
    """One member of the pack cannot be trained. The others can.

    `index` is its position in the pack; `message` tells the owner of the job what to change.
    """

    def __init__(self, index: int, message: str) -> None:
        super().__init__(index, message)
        self.index = index
        self.message = message

    def __str__(self) -> str:
        return f"member {self.index}: {self.message}"


class Trains(Protocol):
    """The state of a pack, which every trainer can give and take."""

    def state(self) -> dict[str, Array]:
        """Copies of all that a resume needs, each with the leading member axis.

        A weight has the name of its coefficient, "a", a slot of the optimizer both names, "momentum.a".
        """
        ...

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        """The exact inverse of `state`. Raises KeyError for a missing array, ValueError for one of a wrong shape."""


@runtime_checkable
class FindsCoefficients(Protocol):
    """A trainer whose models are formulas with named coefficients."""

    def coefficients(self) -> list[dict[str, float]]:
        """For each member its coefficients in order and their values, each converted to float64 without rounding."""
        ...

    def formula(self, coefficients: Mapping[str, float]) -> str:
        """One member's coefficients as the tutorial prints them."""
        ...


@runtime_checkable
class FindsArrays(Protocol):
    """A trainer whose members have arrays as results, such as the weights of a net."""

    def arrays(self) -> dict[str, Array]:
        """Copies of a job's artifacts by name, each with the leading member axis.

        A name consists of letters, digits, `_`, `.` and `-`.
        """
        ...


@runtime_checkable
class Measures(Protocol):
    """A trainer that measures more than the loss: at every `every`-th step from step 0 on, and after the last step."""

    every: int

    def measure(self, t: int) -> dict[str, Losses]:
        """By name, the same names at every call: one number a member, (members,), of the weights before update t.

        After the last update `t` is the number of steps, so that the final weights have their numbers.
        """
        ...


class Trainer(Trains, Protocol):
    """Trains the members of one pack together; what one member computes never depends on the others.

    The members agree in stage, steps, points, degree, dtype, loss and reduction, optimizer and its slots. They may
    differ in seed, initial weights, data and every numeric hyper-parameter. Built in milliseconds, since a pack that
    loses a member is rebuilt: `Trainer(remaining, device)` and then `load_state` with the remaining rows.
    """

    def __init__(self, members: Sequence[Member], device: str) -> None:
        """Ready for step 0. `device` is "cpu" or "cuda". Raises MemberError for a member with wrong parameters."""

    def step(self, t: int) -> Losses:
        """Do update `t` of every member; the losses, shape (members,), belong to the weights before that update.

        Every call returns a new array, never a view of a buffer it will write again. It does not wait for the device.
        """
        ...


@runtime_checkable
class RunsSteps(Trains, Protocol):
    """A trainer that does many updates in one call. It is fastest when their number is a multiple of `stride`."""

    stride: int

    def run(self, begin: int, end: int) -> Array:
        """Do the updates `begin` to `end` - 1; the losses, (steps, members), each of the weights before its update."""
        ...


@runtime_checkable
class WorksAhead(Trains, Protocol):
    """A trainer that queues updates on an asynchronous device, and fetches their losses later.

    Its state is the state after all queued updates. Where `works_ahead` is false, `queue` is not called.
    """

    works_ahead: bool

    def queue(self, begin: int, end: int) -> Callable[[], Array]:
        """Queue the updates `begin` to `end` - 1. The result, when called, waits for their losses, (steps, members)."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A trainer that needs seconds before its first update, to compile it."""

    def prepare(self) -> None:
        """Compile. The state does not change."""
        ...


@runtime_checkable
class StacksLosses(Protocol):
    """A trainer that stacks the losses of a segment itself, with one wait for the device."""

    def stack_losses(self, losses: Sequence[Losses]) -> Array:
        """Numpy array (steps, members) of what `step` returned at successive steps."""
        ...
