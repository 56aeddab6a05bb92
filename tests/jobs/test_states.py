"""Every ordered pair of states, walked on real databases."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gradyard.jobs import states
from gradyard.jobs.events import EventKind
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import MOVES, State
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle.moves import move
from tests.actors import claimed, fails, submitted, succeeds, worker_of


def _in_state(state: State, database: Database, settings: Settings) -> UUID:
    job = submitted(database, settings)
    if state is State.QUEUED:
        return job
    claim = claimed(database, worker_of(database))
    if state is State.SUCCEEDED:
        succeeds(database, claim)
    elif state is State.FAILED:
        fails(database, claim)
    elif state is State.CANCELLED:
        with database.begin() as connection:
            lifecycle.cancel_by_worker(connection, claim.members[0].held, actor="test")
    return job


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("to", State)
def test_a_move_of_the_table_leaves_one_event_and_any_other_changes_nothing(
    before: State, to: State, database: Database, settings: Settings
) -> None:
    job = _in_state(before, database, settings)
    extra: dict[State, dict[str, Any]] = {
        State.FAILED: {"reason": "error"}, State.QUEUED: {"kind": EventKind.HANDED_BACK},
    }  # fmt: skip
    with database.read() as connection:
        events = len(queries.events_of(connection, 1, job)[0])
    allowed = before in MOVES[to]
    if to is State.RUNNING and allowed:
        claimed(database, worker_of(database))  # only a claim makes a job run
    else:
        with database.begin() as connection:
            assert move(connection, job, to, actor="test", **extra.get(to, {})) is allowed
    with database.read() as connection:
        after = queries.events_of(connection, 1, job)[0]
        assert queries.state_of(connection, 1, job) == (to if allowed else before)
    assert len(after) == events + allowed
    assert [event.sequence for event in after] == list(range(1, len(after) + 1))
    if allowed:
        assert (after[-1].from_state, after[-1].to_state) == (before, to)


def test_the_picture_in_the_docs_is_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "states.md").read_text()
    assert states.picture() in text


def test_the_docs_have_the_sentence_of_each_state() -> None:
    text = (Path(__file__).parents[2] / "docs" / "states.md").read_text()
    for state in State:
        assert f"- **{state}**: {states.SENTENCES[state]}" in text


@pytest.mark.parametrize("end", [succeeds, fails])
def test_the_database_itself_refuses_to_wake_a_job_that_is_over(
    end: Callable[..., None], database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    end(database, claimed(database, worker_of(database)))
    with pytest.raises(Exception, match="a job that is over stays so"), database.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'queued', finished_at = NULL, reason = NULL")
    with database.read() as connection:
        assert queries.state_of(connection, 1, job) in states.FINISHED
