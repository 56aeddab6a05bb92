"""How much of each job of a batch is told, in a text that a header holds."""

import random
from itertools import pairwise
from uuid import UUID

import pytest

from gradyard.jobs.identifiers import new_id
from service.live.told_members import ALL, ToldMembers


@pytest.mark.parametrize("seed", range(20))
def test_what_was_told_of_each_job_is_said_whatever_happens_to_others(seed: int) -> None:
    """Jobs move in any order, are added at the end, and are deleted; the position is read from its text each time."""
    drawn = random.Random(seed)
    members, told, position = [new_id() for _ in range(50)], dict[UUID, int](), ToldMembers()
    for _ in range(60):
        reached = drawn.choice(members[: drawn.randint(1, len(members))])
        window = [each for each in members if position.settled < each <= reached]
        later = [each for each in members if each > max(reached, position.last)][: drawn.randint(0, 3)]
        moving = [each for each in window if told.get(each) != ALL]
        moves = {each: drawn.choice([ALL, 1, 2, 3]) for each in drawn.sample(moving, min(3, len(moving)))}
        moves |= {each: 1 for each in later if drawn.random() < 0.8}
        position = ToldMembers.read(str(position.after([*window, *later], reached, moves)))
        told |= moves
        assert all(position.of(each) == told.get(each, 0) for each in members)
        assert position.settled == UUID(int=0) or all(told[each] == ALL for each in members if each <= position.settled)
        if drawn.random() < 0.3:
            members.remove(drawn.choice(members))
            members.append(new_id())


def test_jobs_that_ended_side_by_side_are_one_run() -> None:
    members = [new_id() for _ in range(10_000)]
    position = ToldMembers().after(members, members[-1], dict.fromkeys(members, 1))
    position = position.after(members, members[-1], dict.fromkeys(members[:6000], ALL))
    position = position.after(members, members[-1], dict.fromkeys(members[6000:6064], 2))
    assert [position.of(members[each]) for each in (0, 5999, 6000, 6063, 6064, 9999)] == [ALL, ALL, 2, 2, 1, 1]
    assert len(str(position)) < 40
    assert all(ends < after for ends, after in pairwise(position.ends))


@pytest.mark.parametrize("text", ["A", "AA", "gICAgICAgICAgICAgIA", "_____________________w", "AAAA", "é"])
def test_a_text_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        ToldMembers.read(text)
