"""Whatever happens to jobs, in whatever order, the database says what a model in plain Python says."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import false

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.lifecycle import moves
from gradyard.store.lifecycle.dependencies import begin, decide
from gradyard.store.tables import Job
from tests.fuzzing import FUZZ
from tests.store.lifecycle_machine import Lives
from tests.store.lives_that_wait import LivesThatWait

LIVES = settings(max_examples=FUZZ or 25, stateful_step_count=50, suppress_health_check=list(HealthCheck))
# A build that is known to be wrong: one failure will do, however long it is.
FIRST_FOUND = settings(LIVES, max_examples=60, phases=[Phase.generate], report_multiple_bugs=False, derandomize=True)


def machine_on(database: Database, its_settings: Settings) -> type[Lives]:
    """The machine, with a database for its lives."""
    return type("Lives", (LivesThatWait,), {"database": database, "settings": its_settings})


@pytest.mark.timeout(7200 if FUZZ else 900)
def test_every_life_goes_as_the_model_says(database: Database, settings: Settings) -> None:
    run_state_machine_as_test(machine_on(database, settings), settings=LIVES)


def test_a_lifecycle_without_the_fence_is_found_out(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded: Any = moves._guarded
    monkeypatch.setattr(moves, "_guarded", lambda to, fenced, *rest: guarded(to, False, *rest))
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine_on(database, settings), settings=FIRST_FOUND)


def _met(verdict: dict[str, Any]) -> dict[str, Any]:
    return verdict | {"new_state": "met" if verdict["new_state"] == "failed" else verdict["new_state"]}


def _failed(verdict: dict[str, Any]) -> dict[str, Any]:
    return verdict | {"new_state": "failed", "new_message": "no matter how they ended"}


@pytest.mark.parametrize("broken", [_met, _failed], ids=["releases all", "fails all"])
def test_a_wait_that_ends_without_a_look_at_the_condition_is_found_out(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, broken: Any
) -> None:
    verdict: Any = decide._verdict
    monkeypatch.setattr(decide, "_verdict", lambda *about: broken(verdict(*about)))
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine_on(database, settings), settings=FIRST_FOUND)


def test_a_mark_that_is_forgotten_is_found_out(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(begin._follow, Job, begin._follow[Job].where(false()))
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine_on(database, settings), settings=FIRST_FOUND)
