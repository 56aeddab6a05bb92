"""A segment that cannot be the next one of its pack is refused, with what is wrong."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from gradyard.store.lifecycle import Claim, ClaimedJob
from workers.protocol.frame import FrameBroken
from workers.protocol.messages import MemberResult, SegmentMessage
from workers.supervisor.checked_segment import check_segment
from workers.supervisor.pack import Pack

STEPS = 9
RESULTS = [MemberResult(True, {"a": 0.5}, "y = 0.5")] * 3
ROWS = np.ones((3, 2))


def pack_of(width: int = 3) -> Pack:
    """A pack of `tensor` in float32."""
    spec = {"dtype": "float32"}
    jobs = [ClaimedJob(UUID(int=n), 1, UUID(int=99), spec, {}, "sha", 60.0, 0, None) for n in range(width)]
    return Pack(Claim(UUID(int=99), "tensor", STEPS, 0, "eager", jobs))


def segment(steps: int = 4, begin: int = 0, **more: Any) -> SegmentMessage:
    """A segment of a pack of three."""
    losses = np.ones((3, steps), np.float32)
    return replace(SegmentMessage([0, 1, 2], begin, losses, 0.1, 0.0), **more)


def last(**more: Any) -> SegmentMessage:
    """The only segment of a pack that trains to its end."""
    return segment(STEPS, **{"state": {"a": np.ones(3)}, "results": RESULTS} | more)


RIGHT = {
    "the first": segment(), "with a state": segment(state={"a": np.ones((3, 5))}), "without arrays": segment(state={}),
    "the last": last(), "with artifacts": last(artifacts={"m": np.ones((3, 2, 2))}),
    "with metrics": segment(every=2, metrics={"norm": ROWS}),
    "with metrics of the end": last(every=9, metrics={"norm": ROWS[:, :1]}, final_metrics={"norm": np.ones(3)}),
}  # fmt: skip
WRONG = {
    "a member of no pack": (segment(members=[0, 1, 7]), "one that the pack does not have"),
    "a negative member": (segment(members=[0, 1, -1]), "one that the pack does not have"),
    "a member twice": (segment(members=[0, 1, 1]), "twice"),
    "a member less": (segment(members=[0, 2], losses=np.ones((2, 4), np.float32)), "no losses of member 1"),
    "losses of too few": (segment(losses=np.ones((2, 4), np.float32)), "one loss a member"),
    "losses of another dtype": (segment(losses=np.ones((3, 4))), "float64"),
    "losses without steps": (segment(losses=np.ones(3, np.float32)), "one loss a member"),
    "no step": (segment(0), "is the next one"), "steps again": (segment(begin=2), "is the next one"),
    "a negative step": (segment(begin=-4), "is the next one"), "a huge step": (segment(begin=2**62), "is the next one"),
    "steps too many": (last(losses=np.ones((3, 10), np.float32)), "is the next one"),
    "negative seconds": (segment(seconds=-1.0), "seconds"), "seconds without end": (segment(seconds=1e300), "30 days"),
    "every 0": (segment(every=0), "every is 0"),
    "a metric of other steps": (segment(metrics={"norm": ROWS}), "metric 'norm'"),
    "a metric that is a path": (segment(metrics={"../norm": np.ones((3, 4))}), "is not a name"),
    "texts as a metric": (segment(metrics={"norm": np.full((3, 4), "x")}), "must be numbers"),
    "an early metric of the end": (segment(final_metrics={"norm": np.ones(3)}), "before the last step"),
    "a metric of the end of too few": (last(final_metrics={"norm": np.ones(2)}), "one number a member"),
    "texts as a metric of the end": (last(final_metrics={"norm": np.full(3, "x")}), "must be numbers"),
    "a metric of the end that is a path": (last(final_metrics={"a/b": np.ones(3)}), "is not a name"),
    "a state of too few": (segment(state={"a": np.ones(2)}), "state()"),
    "a state of none": (segment(state={"a": np.ones(())}), "state()"),
    "artifacts of too few": (last(artifacts={"m": np.ones(2)}), "array 'm'"),
    "an artifact that is a path": (last(artifacts={"a/b": np.ones(3)}), "is not a name"),
    "no results": (last(results=None), "results"), "early results": (segment(results=RESULTS, state={}), "results"),
    "results of too few": (last(results=RESULTS[:2]), "one result for each member"),
    "an end without a state": (last(state=None), "without the state"),
    "a stop that nothing asked for": (segment(stopped=True, state={}), "nothing told it to stop"),
}  # fmt: skip


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT.keys())
def test_a_segment_of_the_pack_is_taken(right: SegmentMessage) -> None:
    check_segment(right, pack_of(), stop_requested=False)


@pytest.mark.parametrize(("wrong", "what"), WRONG.values(), ids=WRONG.keys())
def test_a_segment_that_cannot_be_right_is_refused(wrong: SegmentMessage, what: str) -> None:
    with pytest.raises(FrameBroken) as refused:
        check_segment(wrong, pack_of(), stop_requested=False)
    assert what in str(refused.value)


def test_rows_of_members_that_have_left_are_no_harm() -> None:
    pack = pack_of()
    pack.remove([pack.members[1]])
    check_segment(segment(), pack, stop_requested=False)


def test_an_answer_to_a_stop_has_a_state_and_may_have_no_step() -> None:
    check_segment(segment(0, stopped=True, state={}), pack_of(), stop_requested=True)
    with pytest.raises(FrameBroken, match="without the state"):
        check_segment(segment(stopped=True), pack_of(), stop_requested=True)
