"""The training loop: a generator of segments. Its consumer decides what happens between two of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from workers.trainers.contract import Array, Losses, Measures, RunsSteps, StacksLosses, Trainer, Trains

FIRST_STEPS = 1
"""Length of the first segment: the speed is not known yet, and a step of a large pack may take seconds."""

MOST_STEPS = 65_536
"""Length of the longest segment; its losses wait in memory, up to a kilobyte a step."""

# A segment may be this many times as long as the last one: the first steps are slow, and one measurement may mislead.
_GROWTH = 16

# In one segment, of all members together: they wait in memory, and travel in one message.
_MOST_LOSSES = 2**22


class StepFailed(Exception):
    """The trainer raised at update `step`; `__cause__` is its error."""

    def __init__(self, step: int) -> None:
        super().__init__(step)
        self.step = step


@dataclass(frozen=True)
class Segment:
    """Consecutive steps of one pack: `losses` (members, steps) in the stage's dtype, and the seconds that they took.

    `metrics` are curves by name, (members, measured steps), of those steps that the trainer's `every` divides.
    `final_metrics`, of the last segment alone, are (members,): what the final weights measure.
    """

    start_step: int
    losses: Array
    seconds: float
    metrics: Mapping[str, Array] = field(default_factory=dict)
    final_metrics: Mapping[str, Array] = field(default_factory=dict)
    at_rest: bool = True  # the trainer's state is the one after its last step, and not a later one

    @property
    def end(self) -> int:
        """The step after its last."""
        return self.start_step + self.losses.shape[1]


class Lengths:
    """Chooses the steps of the next segment by the speed of the last one, in multiples of the trainer's stride."""

    def __init__(self, trainer: Trains, seconds: float) -> None:
        self._stride = trainer.stride if isinstance(trainer, RunsSteps) else 1
        self._seconds = seconds
        self.next = max(FIRST_STEPS, self._stride)

    def learn(self, segment: Segment) -> None:
        """Choose the length of the next segment by this one."""
        done = segment.losses.shape[1]
        wanted = self._seconds * done / max(segment.seconds, 1e-9)
        most = min(done * _GROWTH, MOST_STEPS, _MOST_LOSSES // len(segment.losses))
        self.next = self._stride * max(1, min(round(wanted), most) // self._stride)


def segments(trainer: Trainer | RunsSteps, *, steps: int, begin: int = 0, seconds: float = 0.2) -> Iterator[Segment]:
    """Train from step `begin` up to `steps`, and yield about every `seconds`.

    The cuts between segments change no bit. At each yield the trainer's state is the one after the segment's last
    step; a consumer that leaves the loop ends the training. Raises StepFailed where the trainer raises.
    """
    lengths = Lengths(trainer, seconds)
    while begin < steps:
        end = min(begin + lengths.next, steps)
        segment = _train(trainer, begin, end)
        is_last = end == steps and segment.losses.shape[-1] == end - begin
        yield replace(segment, final_metrics=_measured_after(trainer, steps, segment)) if is_last else segment
        lengths.learn(segment)
        begin = segment.end


def _train(trainer: Trainer | RunsSteps, begin: int, end: int) -> Segment:
    started = time.perf_counter()
    measured: dict[str, list[Losses]] = {}
    if isinstance(trainer, RunsSteps):
        stacked = _run(trainer, begin, end)
    else:
        stacked = _step_by_step(trainer, begin, end, measured)
    metrics = {name: np.ascontiguousarray(_stacked(trainer, values).T) for name, values in measured.items()}
    return Segment(begin, np.ascontiguousarray(stacked.T), time.perf_counter() - started, metrics)


def _run(trainer: RunsSteps, begin: int, end: int) -> Array:
    try:
        return trainer.run(begin, end)
    except BaseException as error:  # sys.exit() of a trainer included
        raise StepFailed(begin) from error


def _step_by_step(trainer: Trainer, begin: int, end: int, measured: dict[str, list[Losses]]) -> Array:
    # A list costs a tenth of what writing into a tensor row by row does; the trainer stacks it once, at the end.
    losses: list[Losses] = []
    measures = trainer if isinstance(trainer, Measures) else None
    try:
        for t in range(begin, end):
            if measures is not None and t % measures.every == 0:
                for name, value in measures.measure(t).items():
                    measured.setdefault(name, []).append(value)
            losses.append(trainer.step(t))
    except BaseException as error:  # sys.exit() of a trainer included
        done = _stacked(trainer, losses) if losses else None
        if done is not None and _all_diverged(done):
            return done  # many measures refuse NaN; what happened is told by the losses
        raise StepFailed(begin + len(losses)) from error
    return _stacked(trainer, losses)


def _all_diverged(losses: Array) -> bool:
    """Whether each member, (steps, members), has a loss that is not finite."""
    return losses.ndim == 2 and bool((~np.isfinite(losses)).any(axis=0).all())


def _measured_after(trainer: Trainer | RunsSteps, steps: int, last: Segment) -> dict[str, Array]:
    if isinstance(trainer, RunsSteps) or not isinstance(trainer, Measures) or _all_diverged(last.losses.T):
        return {}
    try:
        return {name: _stacked(trainer, [value])[0] for name, value in trainer.measure(steps).items()}
    except BaseException as error:  # sys.exit() of a trainer included
        raise StepFailed(steps) from error


def _stacked(trainer: Trains, losses: Sequence[Losses]) -> Array:
    return trainer.stack_losses(losses) if isinstance(trainer, StacksLosses) else stack_arrays(losses)


def stack_arrays(losses: Sequence[Losses]) -> Array:
    """Losses of successive steps as one numpy array, (steps, members). Tensors on a GPU cost one wait for it."""
    if hasattr(losses[0], "detach"):
        import torch  # a trainer without torch must not make the loop load it

        stacked: Array = torch.stack(list(losses)).detach().cpu().numpy()  # type: ignore[arg-type]
        return stacked
    return np.stack([np.asarray(loss) for loss in losses])
