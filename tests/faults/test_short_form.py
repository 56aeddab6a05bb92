"""The short form of a run promises no times, and lets a kind of fault rest once it did the harm that is wanted."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from gradyard.store.database import Database
from tests.faults.arena import Arena
from tests.faults.bites import Journal
from tests.faults.broker_faults import HEARD
from tests.faults.client import RequestLog
from tests.faults.figures import Resumes
from tests.faults.fleet import Build, Fleet
from tests.faults.lanes import Fault, Lanes
from tests.faults.orders import OrderBook
from tests.faults.plans import short_plan
from tests.faults.rows import Rows
from tests.faults.verification import broken_promises
from tests.faults.wanted import look_back
from tests.faults.watch import Watch
from tests.stack.until import until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SHORT = short_plan("sqlite", "F8,F11,F16")


@pytest.fixture
def arena(database: Database) -> Iterator[Arena]:
    """The arena of a run in which nothing has happened yet, without processes."""
    fleet = Fleet(Build("sqlite"))
    fleet.database, fleet.hosts = database, []
    yield Arena(fleet, Watch(database), OrderBook(1, (1.0, 1.0)), RequestLog(), Random(1), SHORT.form)
    shutil.rmtree(fleet.folder)


def test_what_a_kill_cost_fails_a_full_run_alone(database: Database) -> None:
    journal = Journal([], RequestLog(), Rows({}, {}, {}, {}), Watch(database))
    full = replace(SHORT, faults=("F1",), until_bitten=False)
    late, soon = (Resumes(cut=1, resumed=1, steps_redone=9, most_seconds_redone=seconds) for seconds in (7.1, 1.0))
    assert broken_promises(full, journal, {}, late) == ["a kill cost 7.1 s of training"]
    assert broken_promises(full, journal, {}, soon) == []
    assert broken_promises(SHORT, journal, {}, late) == []


def test_a_kind_is_sated_once_it_did_its_harm_and_cancels_never_are(arena: Arena) -> None:
    assert look_back(SHORT, arena, {"F8": 0, "F11": 0, "F16": 0}).sated == set()
    for fault in ("F8", "F11", "F16"):
        arena.note(fault, 1.0, "not a bite")
    assert look_back(SHORT, arena, {"F8": 1, "F11": 1, "F16": 1}).sated == set()
    arena.note("F11", 2.0, f"forged bells{HEARD}")
    assert look_back(SHORT, arena, {"F8": 1, "F11": 2, "F16": 1}).sated == {"F11"}


def test_a_kind_that_rests_is_inflicted_no_more(arena: Arena) -> None:
    kinds = [Fault(name, "kill", lambda arena, name=name: arena.note(name, 1.0, "")) for name in ("F1", "F2")]  # type: ignore[misc]
    lanes = Lanes(arena, kinds, haste=0.001)
    lanes.rest({"F1"})
    lanes.start()
    until(lambda: lanes.counts()["F2"] > 5)
    assert lanes.counts()["F1"] == 0
    lanes.rest({"F2"})
    until(lambda: lanes.counts()["F1"] > 5)
    lanes.stop()
    assert lanes.failures == []
