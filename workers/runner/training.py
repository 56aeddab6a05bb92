"""One pack in the runner: train it segment by segment, send each segment, and read orders in between."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workers.protocol.frame import Arrays
from workers.protocol.messages import (
    DropMessage,
    FallbackMessage,
    IdleMessage,
    PreparingMessage,
    SegmentMessage,
    StopMessage,
    TrainMessage,
)
from workers.protocol.wire import Wire, WireClosed
from workers.runner.checked_outputs import check_losses, checked_state
from workers.runner.failed_message import failed_message, is_full, traceback_of
from workers.runner.loop import Segment, StepFailed, segments
from workers.runner.loop_ahead import segments_ahead
from workers.runner.segment_message import check_outputs, segment_message
from workers.trainers.contract import Measures, Prepares, WorksAhead

SEND_SECONDS = 0.05  # the first segments are so short that a message for each would cost more than their steps

MakeTrainer = Callable[[str, list[dict[str, Any]]], Any]  # of a dotted path and the members


class Training:
    """Trains the members of a TrainMessage and sends a SegmentMessage at least every few segments.

    Members are known by their index in the message. Those that diverge or are dropped leave, and the others go on in
    a smaller pack, which changes none of their bits.
    """

    def __init__(self, wire: Wire, train: TrainMessage, make: MakeTrainer) -> None:
        self._wire, self._train, self._make = wire, train, make
        self._path, self._fallback = train.trainer, train.fallback
        self._specs = train.members_with_data()
        self._step = train.start_step
        self._active = list(range(len(self._specs)))
        self._gone: set[int] = set()  # diverged, or dropped
        self._stopping = False
        self._rest = False  # whether a device that works ahead must pause, because its state is needed
        self._setup_seconds = 0.0
        self._recorded_at = self._sent_at = time.perf_counter()
        self._unsent: list[Segment] = []
        self._outputs_checked = False
        self._measured: tuple[int, list[str]] | None = None  # `every` and the names of the metrics

    def run(self) -> None:
        """Train to the end, to a stop, or until every member has left. An error is sent, not raised."""
        try:
            state = self._train_until_a_member_leaves(self._trainer(self._active, self._train.state))
            while self._active and state is not None:
                _free_device_memory()
                state = self._train_until_a_member_leaves(self._trainer(self._active, state))
            if not self._active:
                self._wire.send(IdleMessage())
        except StepFailed as error:
            self._wire.send(failed_message(error.__cause__ or error, error.step, self._active))
        except WireClosed:
            raise
        except BaseException as error:  # sys.exit() of a trainer included
            self._wire.send(failed_message(error, self._step, self._active))

    def _trainer(self, members: list[int], state: Arrays) -> Any:
        started = time.perf_counter()
        trainer = self._make(self._path, [self._specs[member] for member in members])
        if isinstance(trainer, Prepares):
            trainer = self._prepared(trainer, members)
        if state:
            trainer.load_state(state)
        self._setup_seconds += time.perf_counter() - started
        return trainer

    def _prepared(self, trainer: Prepares, members: list[int]) -> Any:
        """The trainer, compiled; or the fallback, where the compiler of this machine does not work."""
        self._wire.send(PreparingMessage())  # the supervisor must not take the silence of a compiler for a death
        try:
            trainer.prepare()
            return trainer
        except Exception as error:
            if self._fallback is None or is_full(error):  # a smaller pack may have room for its graph
                raise
            self._wire.send(FallbackMessage(traceback_of(error)))
            self._path, self._fallback = self._fallback, None
            return self._make(self._path, [self._specs[member] for member in members])

    def _train_until_a_member_leaves(self, trainer: Any) -> Arrays | None:
        """The state of the members that stay; None at the end. The caller holds no trainer: it dies on return."""
        for segment in self._segments(trainer):
            check_losses(segment.losses, len(self._active), self._specs[self._active[0]]["dtype"])
            self._step = segment.end
            staying = self._staying_rows(segment)
            self._unsent.append(segment)
            last, member_leaves = self._step >= self._train.steps, len(staying) < len(self._active)
            urgent = last or self._stopping or member_leaves
            self._rest = (urgent or self._record_is_due()) and not segment.at_rest
            if self._rest:
                continue  # the device has the next segment already: the state will be the one after it
            if urgent or time.perf_counter() - self._sent_at >= SEND_SECONDS:
                self._send(trainer, last, at_rest=segment.at_rest)
            if last or self._stopping:
                return None
            if member_leaves:
                return self._shrink(trainer, staying)
        return None

    def _segments(self, trainer: Any) -> Iterator[Segment]:
        steps, begin, seconds = self._train.steps, self._step, self._train.segment_seconds
        if isinstance(trainer, WorksAhead) and trainer.works_ahead and not isinstance(trainer, Measures):
            return segments_ahead(trainer, steps=steps, begin=begin, seconds=seconds, rest=lambda: self._rest)
        return segments(trainer, steps=steps, begin=begin, seconds=seconds)

    def _staying_rows(self, segment: Segment) -> list[int]:
        """The rows that go on after this segment: finite, and not dropped by the supervisor."""
        while (message := self._wire.receive(0)) is not None:
            match message:
                case StopMessage():
                    self._stopping = True
                case DropMessage(members=members):
                    self._gone |= set(members)
        finite = np.atleast_1d(np.isfinite(segment.losses).all(axis=1))
        self._gone |= {member for row, member in enumerate(self._active) if not finite[row]}
        return [row for row, member in enumerate(self._active) if member not in self._gone]

    def _record_is_due(self) -> bool:
        return time.perf_counter() - self._recorded_at >= self._train.record_seconds

    def _shrink(self, trainer: Any, staying: list[int]) -> Arrays:
        state = checked_state(trainer.state(), len(self._active))
        self._active = [self._active[row] for row in staying]
        return {name: array[staying] for name, array in state.items()}

    def _send(self, trainer: Any, last: bool, *, at_rest: bool) -> None:
        unsent, self._unsent = self._unsent, []
        with_state = at_rest and (last or self._stopping or self._record_is_due())
        members = {index: self._specs[index] for index in self._active}
        if with_state and not (last or self._outputs_checked):
            check_outputs(trainer, members)
            self._outputs_checked = True
        message = segment_message(
            trainer, unsent, members, setup_seconds=self._setup_seconds,
            stopped=self._stopping and not last, with_state=with_state, last=last,
        )  # fmt: skip
        self._check_measured(message)
        self._recorded_at = time.perf_counter() if with_state or last else self._recorded_at
        self._setup_seconds, self._sent_at = 0.0, time.perf_counter()
        self._wire.send(message)

    def _check_measured(self, message: SegmentMessage) -> None:
        """Raises ValueError where the trainer measures other things, or at other steps, than it did before."""
        calls = [message.metrics] if message.measured_before(message.end_step) else []
        if message.results is not None and (message.final_metrics or self._measured or calls):
            calls.append(message.final_metrics)
        for metrics in calls:
            measured = message.every, sorted(metrics)
            self._measured = self._measured or measured
            if measured != self._measured:
                before, now = (f"{names} at every {every} steps" for every, names in (self._measured, measured))
                raise ValueError(f"measure() must give the same metrics in every call; it gave {before}, and now {now}")


def _free_device_memory() -> None:
    """Return the GPU memory of a trainer that is gone. A captured graph keeps its arrays until it is collected."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()
