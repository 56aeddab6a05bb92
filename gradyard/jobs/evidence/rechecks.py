"""A recheck trains a finished job once more; this says what their comparison, bit for bit, has shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gradyard.jobs.states import Reason, State


class RecheckState(StrEnum):
    """What a recheck has shown; `WAITING`: one of the two jobs has not ended yet."""

    WAITING = "waiting"
    SAME = "same"
    DIFFERS = "differs"
    INCOMPARABLE = "cannot be compared"


FINAL_WEIGHTS_MEASURED = "final_weights_measured"
"""The condition, of a job with metrics that succeeded: whether they have a value of its final weights (0032)."""


class Part(StrEnum):
    """A part of a result that may differ. `ENDING`: the state, the reason, or the step at which the loss diverged."""

    LOSSES = "losses"
    COEFFICIENTS = "coefficients"
    METRICS = "metrics"
    ARTIFACTS = "artifacts"
    ENDING = "ending"


@dataclass(frozen=True)
class End:
    """How a job ended, and by what its bits may depend beside its spec: `conditions`, by name, as far as is known."""

    state: State
    reason: Reason | None
    message: str | None
    diverged_at: int | None
    steps_done: int
    conditions: Mapping[str, Any]

    @property
    def was_cut(self) -> bool:
        """Whether time, memory or a person ended it, so that another attempt may end at another step."""
        return self.state is State.CANCELLED or self.reason in (Reason.TIMEOUT, Reason.OUT_OF_MEMORY, Reason.POISON)

    @property
    def is_whole(self) -> bool:
        """Whether every loss that it computed is stored; an attempt that ended otherwise has those of its records."""
        return self.state is State.SUCCEEDED or self.reason is Reason.DIVERGED

    @property
    def outcome(self) -> tuple[Any, ...]:
        """What another attempt with the same bits has as well."""
        return (self.state, self.reason, self.diverged_at, None if self.is_whole else self.message)

    @property
    def words(self) -> str:
        """How it ended, in words: `failed (timeout) at step 500`."""
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.state}{why} at step {self.steps_done:,}"


@dataclass(frozen=True)
class Verdict:
    """What the comparison has shown.

    first_different_step: of the losses and metrics; None where their curves are the same. conditions: those that were
    not the same, each with its value of the original and of the recheck.
    """

    state: RecheckState
    message: str
    first_different_step: int | None = None
    differs_in: tuple[Part, ...] = ()
    conditions: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def verdict_of(original: End, recheck: End, differences: Mapping[Part, int | None]) -> Verdict:
    """The verdict on two jobs that have ended.

    differences: the parts that differ, each with the first step, where it has steps. Of jobs that do not have all of
    their losses stored, what one of the two lacks is no difference, and is not among them.
    """
    conditions = _unequal(original.conditions, recheck.conditions)
    parts = set(differences)
    if not (original.was_cut or recheck.was_cut) and original.outcome != recheck.outcome:
        parts.add(Part.ENDING)
    if parts:
        step = min((step for step in differences.values() if step is not None), default=None)
        named = tuple(part for part in Part if part in parts)
        message = _where(named, step, original, recheck) + _why(conditions, recheck)
        return Verdict(RecheckState.DIFFERS, message, step, named, conditions)
    for job, name in ((original, "original"), (recheck, "recheck")):
        if job.was_cut or not job.is_whole:  # what it computed after its last record is not stored
            both = min(original.steps_done, recheck.steps_done)
            losses = f"the first {both:,} losses of both are the same, bit for bit" if both else "one has no losses"
            return Verdict(RecheckState.INCOMPARABLE, f"the {name} {job.words}; {losses}", conditions=conditions)
    return Verdict(RecheckState.SAME, _same(conditions), conditions=conditions)


def _same(conditions: Mapping[str, tuple[Any, Any]]) -> str:
    if FINAL_WEIGHTS_MEASURED not in conditions:
        return "everything is the same, bit for bit"
    without = "recheck" if conditions[FINAL_WEIGHTS_MEASURED][0] else "original"
    return f"everything that both have is the same, bit for bit; the {without} has no metrics of its final weights"


def _unequal(original: Mapping[str, Any], recheck: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (original[name], recheck[name])
        for name in original
        if name in recheck and original[name] != recheck[name]
    }


def _where(parts: tuple[Part, ...], step: int | None, original: End, recheck: End) -> str:
    names = ", ".join(part for part in parts if part is not Part.ENDING)
    ends = f"the original {original.words}, the recheck {recheck.words}" if Part.ENDING in parts else ""
    where = f"{names} differ{'' if step is None else f', first at step {step:,}'}" if names else ""
    return "; ".join(each for each in (where, ends) if each)


def _why(conditions: Mapping[str, tuple[Any, Any]], recheck: End) -> str:
    if conditions:
        return "; not the same: " + ", ".join(f"{name} ({a}, now {b})" for name, (a, b) in conditions.items())
    engine = recheck.conditions.get("engine", "eager")
    return "" if engine == "eager" else f"; the engine {engine} promises a tolerance, not the same bits"
