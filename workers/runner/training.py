"""One pack in the runner: train segment by segment, say what came of it, listen in between."""

import gc
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workers.protocol.wire import Frame, Wire
from workers.runner.checked_outputs import check_losses
from workers.runner.loop import Segment, StepFailed, segments
from workers.runner.loop_ahead import segments_ahead
from workers.runner.segment_parts import findings_of, state_of, steps_of
from workers.trainers.contract import Measures, MemberError, Prepares, WorksAhead

MESSAGE_CHARACTERS, TRACEBACK_CHARACTERS = 2_000, 65_536
SEND_SECONDS = 0.05  # the first segments are short: each frame costs both sides more than it tells

State = dict[str, np.ndarray]
MakeTrainer = Callable[[str, list[dict[str, Any]]], Any]  # of a dotted path and the members


class Training:
    """Trains the members of a `train` frame and sends a `segment` frame after each stretch.

    Members are known by their index in the frame; those that diverge or are dropped leave, and the others go on
    in a smaller pack, which changes none of their bits.
    """

    def __init__(self, wire: Wire, frame: Frame, make: MakeTrainer) -> None:
        self._wire, self._make = wire, make
        self._path, self._fallback = frame.fields["trainer"], frame.fields["otherwise"]
        self._specs: list[dict[str, Any]] = frame.fields["members"]
        self._steps, self._step = frame.fields["steps"], frame.fields["start_step"]
        self._segment_seconds, self._record_seconds = frame.fields["segment_seconds"], frame.fields["record_seconds"]
        self._begin_state = frame.arrays
        self._active = list(range(len(self._specs)))
        self._gone: set[int] = set()  # diverged, or dropped
        self._stopping = False
        self._rest = False  # whether a device that works ahead shall stop for its state
        self._setup_seconds = 0.0
        self._recorded_at = self._sent_at = time.perf_counter()
        self._unsent: list[Segment] = []

    def run(self) -> None:
        """Train to the end, to a stop, or until nobody is left; whatever is raised is sent, not raised."""
        try:
            state = self._train_until_someone_leaves(self._trainer(self._active, self._begin_state))
            while self._active and state is not None:
                _free_device_memory()
                state = self._train_until_someone_leaves(self._trainer(self._active, state))
            if not self._active:
                self._wire.send(Frame("idle"))
        except StepFailed as error:
            self._report(error.__cause__ or error, error.step)
        except Exception as error:
            self._report(error, self._step)

    def _trainer(self, members: list[int], state: State) -> Any:
        started = time.perf_counter()
        trainer = self._make(self._path, [self._specs[member] for member in members])
        if isinstance(trainer, Prepares):
            trainer = self._prepared(trainer, members)
        if state:
            trainer.load_state(state)
        self._setup_seconds += time.perf_counter() - started
        return trainer

    def _prepared(self, trainer: Prepares, members: list[int]) -> Any:
        """The trainer, compiled; or the one to be used otherwise, where a machine's compiler does not work."""
        self._wire.send(Frame("preparing"))  # the supervisor must not take the silence of a compiler for a death
        try:
            trainer.prepare()
            return trainer
        except Exception as error:
            if self._fallback is None or _is_full(error):  # a smaller pack may have room for its graph
                raise
            self._wire.send(Frame("otherwise", {"traceback": traceback.format_exc()[-TRACEBACK_CHARACTERS:]}))
            self._path, self._fallback = self._fallback, None
            return self._make(self._path, [self._specs[member] for member in members])

    def _train_until_someone_leaves(self, trainer: Any) -> State | None:
        """The state of the members that stay; None at the end. The caller holds no trainer: it dies on return."""
        for segment in self._segments(trainer):
            check_losses(segment.losses, len(self._active), self._specs[self._active[0]]["dtype"])
            self._step = segment.end
            staying = self._after(segment)
            self._unsent.append(segment)
            over, someone_leaves = self._step >= self._steps, len(staying) < len(self._active)
            urgent = over or self._stopping or someone_leaves
            self._rest = (urgent or self._record_is_due()) and not segment.at_rest
            if self._rest:
                continue  # the device has the next segment already: the state will be that after it
            if urgent or time.perf_counter() - self._sent_at >= SEND_SECONDS:
                self._send(trainer, over, at_rest=segment.at_rest)
            if over or self._stopping:
                return None
            if someone_leaves:
                return self._shrink(trainer, staying)
        return None

    def _segments(self, trainer: Any) -> Iterator[Segment]:
        steps, begin, seconds = self._steps, self._step, self._segment_seconds
        if isinstance(trainer, WorksAhead) and trainer.works_ahead and not isinstance(trainer, Measures):
            return segments_ahead(trainer, steps=steps, begin=begin, seconds=seconds, rest=lambda: self._rest)
        return segments(trainer, steps=steps, begin=begin, seconds=seconds)

    def _after(self, segment: Segment) -> list[int]:
        """Which rows go on after this segment: those that stayed finite and that nobody dropped."""
        while (frame := self._wire.receive(0)) is not None:
            self._stopping |= frame.kind == "stop"
            self._gone |= set(frame.fields.get("members", ()))
        finite = np.atleast_1d(np.isfinite(segment.losses).all(axis=1))
        self._gone |= {member for row, member in enumerate(self._active) if not finite[row]}
        return [row for row, member in enumerate(self._active) if member not in self._gone]

    def _record_is_due(self) -> bool:
        return time.perf_counter() - self._recorded_at >= self._record_seconds

    def _shrink(self, trainer: Any, staying: list[int]) -> State:
        state = {name: array[staying] for name, array in trainer.state().items()}
        self._active = [self._active[row] for row in staying]
        return state

    def _send(self, trainer: Any, over: bool, *, at_rest: bool) -> None:
        sent, self._unsent = self._unsent, []
        width = len(self._active)
        fields, arrays = steps_of(trainer, sent, width)
        fields |= {
            "members": self._active, "setup_seconds": self._setup_seconds, "stopped": self._stopping and not over,
        }  # fmt: skip
        whole = over or self._stopping or self._record_is_due()
        parts = [state_of(trainer)] if whole and at_rest else []
        parts += [findings_of(trainer, width)] if over else []
        for more_fields, more_arrays in parts:
            fields, arrays = fields | more_fields, arrays | more_arrays
        self._recorded_at = time.perf_counter() if parts else self._recorded_at
        self._setup_seconds, self._sent_at = 0.0, time.perf_counter()
        self._wire.send(Frame("segment", fields, arrays))

    def _report(self, error: BaseException, step: int) -> None:
        memory = isinstance(error, MemoryError) or _is_full(error)
        named = error.index if isinstance(error, MemberError) and error.index in range(len(self._active)) else None
        self._wire.send(Frame("failed", {
            "reason": "out_of_memory" if memory else "error", "step": step,
            "message": f"{type(error).__name__}: {error}"[:MESSAGE_CHARACTERS],
            "traceback": "".join(traceback.format_exception(error))[-TRACEBACK_CHARACTERS:],
            "device_error": not memory and is_the_devices(error),
            "member": None if named is None else self._active[named],
        }))  # fmt: skip


def _free_device_memory() -> None:
    """Give a GPU back what a dropped trainer held; a captured graph keeps its arrays until it is collected."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()


def _is_full(error: BaseException) -> bool:
    """Whether a GPU had no room."""
    return type(error).__name__ == "OutOfMemoryError"


def is_the_devices(error: BaseException) -> bool:
    """Whether CUDA itself complained, after which this process can use its device no more."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)
