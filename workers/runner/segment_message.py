"""Builds the message on the steps that a trainer did, and checks what the trainer returned."""

from collections.abc import Mapping, Sequence

import numpy as np

from gradyard.jobs.numbers.models import in_own_units
from gradyard.jobs.numbers.scaling import Scaling
from workers.protocol.frame import Arrays
from workers.protocol.messages import MemberResult, SegmentMessage
from workers.runner.checked_outputs import (
    checked_arrays,
    checked_final_metrics,
    checked_metrics,
    checked_result,
    checked_state,
)
from workers.runner.loop import Segment
from workers.trainers.contract import FindsArrays, FindsCoefficients, Measures, Member, Trains


def segment_message(
    trainer: Trains, segments: Sequence[Segment], members: Mapping[int, Member], *,
    setup_seconds: float, stopped: bool, with_state: bool, last: bool,
) -> SegmentMessage:  # fmt: skip
    """Consecutive segments of these members (by index) as one message, with state or results where asked for.

    Raises ValueError or TypeError where the trainer returned metrics, arrays or results of a wrong shape or type.
    """
    width = len(members)
    return SegmentMessage(
        members=list(members), start_step=segments[0].start_step, losses=losses_of(segments),
        seconds=sum(each.seconds for each in segments), setup_seconds=setup_seconds, stopped=stopped,
        every=trainer.every if isinstance(trainer, Measures) else 1, metrics=metrics_of(trainer, segments, width),
        final_metrics=checked_final_metrics(segments[-1].final_metrics, width),
        state=checked_state(trainer.state(), width) if with_state else None,
        results=results_of(trainer, list(members.values())) if last else None,
        artifacts=artifacts_of(trainer, width) if last else {},
    )  # fmt: skip


def check_outputs(trainer: Trains, members: Mapping[int, Member]) -> None:
    """Raises ValueError or TypeError where what the trainer returns after its last step could not be stored.

    Asked for at the first record, so that an error of its author costs seconds of training and not all of it.
    """
    results_of(trainer, list(members.values()))
    artifacts_of(trainer, len(members))


def losses_of(segments: Sequence[Segment]) -> np.ndarray:
    """The losses of consecutive segments, (members, steps)."""
    return np.concatenate([each.losses for each in segments], axis=1)


def metrics_of(trainer: Trains, segments: Sequence[Segment], width: int) -> Arrays:
    """The metrics of consecutive segments by name, (members, measured steps); empty where the trainer measures none.

    Raises ValueError or TypeError where they have a wrong shape or dtype.
    """
    if not isinstance(trainer, Measures):
        return {}
    parts = [each.metrics for each in segments]
    return checked_metrics(parts, width, trainer.every, segments[0].start_step, segments[-1].end)


def results_of(trainer: Trains, members: Sequence[Member]) -> list[MemberResult]:
    """The result of each member, after its last step."""
    if not isinstance(trainer, FindsCoefficients):
        return [MemberResult(finite=True, coefficients=None, formula=None)] * len(members)
    return [_result(trainer, found, member) for found, member in zip(trainer.coefficients(), members, strict=True)]


def artifacts_of(trainer: Trains, width: int) -> Arrays:
    """The arrays that the members found, by name. Raises ValueError or TypeError for a wrong shape, dtype or size."""
    return checked_arrays(trainer.arrays(), width) if isinstance(trainer, FindsArrays) else {}


def _result(trainer: FindsCoefficients, coefficients: dict[str, float], member: Member) -> MemberResult:
    if not np.isfinite(list(coefficients.values())).all():
        return MemberResult(finite=False, coefficients=None, formula=None)
    if (scaling := member.get("scaling")) is None:
        return checked_result(MemberResult(True, coefficients, trainer.formula(coefficients)))
    own = in_own_units(member["stage"], coefficients, Scaling(**scaling))
    return checked_result(MemberResult(True, own, trainer.formula(own) if own else None, coefficients))
