"""Whatever two transactions do at the same time, it ends as if one had come after the other.

PostgreSQL runs them side by side, so they are stepped statement by statement; SQLite has one writer at a time.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, update

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store.database import Database
from gradyard.store.dialects import now
from gradyard.store.lifecycle.moves import move
from gradyard.store.tables import Job
from tests.store.interleaving import Act, Stage, interrupted_anywhere, interrupted_once
from tests.store.kept_rows import KeptRows
from tests.store.one_job import DEEDS, Does, OneJob, forget_everything, queued_job, running_job, told

EVERY = bool(os.environ.get("EVERY_INTERLEAVING"))  # `make fuzz`
Situation = Callable[[Database, Settings], OneJob]

SITUATIONS: dict[str, Situation] = {
    "running and recorded": lambda database, settings: running_job(database, settings, recorded=2),
    "running": lambda database, settings: running_job(database, settings),
    "running and marked": lambda database, settings: running_job(database, settings, marked=True),
    "queued": queued_job,
}
NAMES = list(DEEDS)


@pytest.mark.parametrize("situation", list(SITUATIONS) if EVERY else ["running and recorded", "queued"])
@pytest.mark.parametrize("first", NAMES)
def test_two_at_once_end_as_one_after_the_other(
    stage: Stage, settings_of_stage: Settings, first: str, situation: str
) -> None:
    begin = Beginning(stage, settings_of_stage, SITUATIONS[situation])
    for second in NAMES[NAMES.index(first) :]:
        play = Play(stage, begin, DEEDS[first], DEEDS[second])
        lawful = play.one_after_the_other()
        for schedule in (interrupted_anywhere if EVERY else interrupted_once)(*play.lengths):
            found = play.outcome(schedule)
            wrong = {order: _difference(found, outcome) for order, outcome in lawful.items()}
            assert not all(wrong.values()), f"{situation}; a: {first}, b: {second}; {schedule}: {wrong}"


def _difference(found: dict[str, Any], lawful: dict[str, Any]) -> dict[str, Any]:
    return {name: (found[name], lawful[name]) for name in found if found[name] != lawful[name]}


class Beginning:
    """A database with one job, in the situation in which each play begins."""

    def __init__(self, stage: Stage, settings: Settings, situation: Situation) -> None:
        forget_everything(stage.database)
        self.job = situation(stage.database, settings)
        self.put_back = KeptRows(stage.database).put_back


class Play:
    """Two deeds done to the same job. `lengths`: how many statements each has, alone or after the other, the most."""

    def __init__(self, stage: Stage, begin: Beginning, first: Does, second: Does) -> None:
        self._stage, self._begin, self.lengths = stage, begin, (0, 0)
        self._acts: tuple[Act, Act] = (
            (lambda connection: first(connection, begin.job)),
            (lambda connection: second(connection, begin.job)),
        )

    def outcome(self, schedule: str) -> dict[str, Any]:
        """What both said, and what the database says then."""
        self._begin.put_back()
        said = self._stage.play(*self._acts, schedule)
        return {"said": said} | told(self._stage.database)

    def one_after_the_other(self) -> dict[str, dict[str, Any]]:
        """The outcome of either order."""
        outcomes = {}
        for first, second in ("ab", "ba"):
            outcomes[f"not {first} first"] = self.outcome(first * 99 + second * 99)
            a, b = self._stage.statements()
            self.lengths = max(self.lengths[0], a), max(self.lengths[1], b)
        return outcomes


def _careless_cancel(connection: Connection, one: OneJob) -> bool:
    """Where it is queued, cancel it; else, where it runs, mark it. Between the two it may be handed back."""
    if move(connection, one.member.id, State.CANCELLED, actor="client", only_from=State.QUEUED, detail="while queued"):
        return True
    mark = update(Job).where(Job.id == one.member.id, Job.state == State.RUNNING).values(cancel_requested_at=now())
    return bool(connection.execute(mark).rowcount)


def test_the_stage_finds_what_is_not_safe(stage: Stage, settings_of_stage: Settings) -> None:
    begin = Beginning(stage, settings_of_stage, SITUATIONS["running and recorded"])
    play = Play(stage, begin, DEEDS["expire"], _careless_cancel)
    lawful = play.one_after_the_other().values()
    found = [play.outcome(schedule) for schedule in interrupted_once(*play.lengths)]
    assert any(outcome not in lawful for outcome in found)
