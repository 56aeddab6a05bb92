"""Checks a segment of a runner against the pack that it was given, so that nothing is stored which cannot be right.

A trainer is the code of others, in the process that sends these messages. What does not fit is a failure of the pack:
without this it would be stored, or its members handed back and claimed for ever.
"""

from typing import Any

from workers.protocol.frame import FrameBroken
from workers.protocol.messages import SegmentMessage
from workers.runner.checked_outputs import (
    check_losses,
    checked_arrays,
    checked_final_metrics,
    checked_metrics,
    checked_state,
)
from workers.supervisor.pack import Pack

MOST_SECONDS = 30 * 86_400.0
"""Of one segment: it is about 0.2 s long, or one step."""


def check_segment(segment: SegmentMessage, pack: Pack, *, stop_requested: bool) -> None:
    """Raises FrameBroken, with what is wrong, where the segment cannot be the next one of this pack."""
    _check_members(segment, pack)
    width, first = len(segment.members), pack.claim.members[0]
    try:
        check_losses(segment.losses, width, (first.spec | first.resolved)["dtype"])
        _check_steps(segment, pack)
        checked_metrics([segment.metrics], width, segment.every, segment.start_step, segment.end_step)
        checked_final_metrics(segment.final_metrics, width)
        if segment.state is not None:
            checked_state(segment.state, width)
        checked_arrays(segment.artifacts, width)
    except (ValueError, TypeError) as error:
        raise FrameBroken(str(error)) from None
    _check_end(segment, pack, stop_requested=stop_requested)


def _check_members(segment: SegmentMessage, pack: Pack) -> None:
    rows = segment.rows
    if len(rows) != len(segment.members) or not rows.keys() <= set(range(pack.width)):
        raise FrameBroken("it names a member twice, or one that the pack does not have")
    if missing := pack.members.keys() - rows.keys():
        raise FrameBroken(f"it has no losses of member {min(missing)}")


def _check_steps(segment: SegmentMessage, pack: Pack) -> None:
    begin, end, steps = segment.start_step, segment.end_step, pack.claim.steps
    if begin != pack.step or end > steps or (begin == end and not segment.stopped):
        raise FrameBroken(f"it has the steps {begin} to {end}, and step {pack.step} of {steps} is the next one")
    if not all(0 <= seconds <= MOST_SECONDS for seconds in (segment.seconds, segment.setup_seconds)):
        raise FrameBroken("its seconds are negative, or more than 30 days")


def _check_end(segment: SegmentMessage, pack: Pack, *, stop_requested: bool) -> None:
    results: list[Any] | None = segment.results
    if (results is not None) != (segment.end_step == pack.claim.steps):
        raise FrameBroken("its results come before the last step, or not with it")
    if results is None and segment.final_metrics:
        raise FrameBroken("it was measured at the end before the last step")
    if results is not None and len(results) != len(segment.members):
        raise FrameBroken("it does not have one result for each member")
    if segment.stopped and not stop_requested:
        raise FrameBroken("it ends the pack, and nothing told it to stop")
    if segment.finished and segment.state is None:
        raise FrameBroken("it ends the pack without the state of its members")
