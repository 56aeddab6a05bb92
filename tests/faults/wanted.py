"""What a run still waits for: kinds of faults that have not done enough harm yet."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from gradyard.jobs.errors import GradyardError
from tests.faults.arena import Arena
from tests.faults.bites import Journal
from tests.faults.figures import fenced_writes, resumes
from tests.faults.load import counted
from tests.faults.pipelines import FAILED_WITH_OTHERS
from tests.faults.plans import Plan
from tests.faults.rows import Rows, history

GO_ON = ("F16",)  # to the end of a run: each cancel hits a job in another state, and costs no start of a process


class LookBack(NamedTuple):
    """What the kinds of faults did so far.

    wanted: a line for each that is still wanted; empty where the run may end. sated: those that did all the harm which
    is wanted of them.
    """

    wanted: list[str]
    sated: set[str]


def look_back(plan: Plan, arena: Arena, inflicted: Mapping[str, int]) -> LookBack:
    """Look back at the faults so far, by kind how many. Reads the whole database once some kind came often enough."""
    enough = {name for name, count in inflicted.items() if count >= _least(plan, name)}
    journal = _journal(arena) if enough else None
    if journal is None:
        return LookBack(_too_few(plan, arena, inflicted) or ["a database that answers"], set())
    bites, lacking = journal.bites(), _lacking_harm(plan, arena, journal)
    wanted = _too_few(plan, arena, inflicted) or [*_lacking_bites(bites, inflicted, plan.bites), *lacking.values()]
    sated = {name for name in enough - {*GO_ON} if bites[name] >= plan.bites and name not in lacking}
    return LookBack(wanted, sated)


def _journal(arena: Arena) -> Journal | None:
    try:
        rows = Rows.read(arena.fleet.database)
    except GradyardError:
        return None
    return Journal(list(arena.done), arena.log, rows, arena.watch)


def _too_few(plan: Plan, arena: Arena, inflicted: Mapping[str, int]) -> list[str]:
    """The kinds that were inflicted too seldom, else what the load did too seldom."""
    if few := [name for name, count in inflicted.items() if count < _least(plan, name)]:
        return [f"{name} inflicted {inflicted[name]} of {_least(plan, name)}" for name in few]
    counts = counted(plan.amount, arena.log)
    if "GRADYARD_MUTANT" in plan.settings:  # in the build that asks for no condition none fails
        counts.pop(FAILED_WITH_OTHERS, None)
    return [f"{name} fewer than {plan.bites}" for name, n in counts.items() if n < plan.bites]


def _least(plan: Plan, name: str) -> int:
    """How often a kind of fault must be inflicted at least."""
    return 1 if name == "F14" else plan.bites  # one pack of F14 loses many runners


def _lacking_bites(bites: Counter[str], inflicted: Mapping[str, int], least: int) -> list[str]:
    return [f"{name} did harm {bites[name]} of {least} times" for name in inflicted if bites[name] < least]


def _lacking_harm(plan: Plan, arena: Arena, journal: Journal) -> dict[str, str]:
    """What the faults together must bring about and have not yet, by the kind that does.

    These are attempts that are cut after a record, and late writes that are refused.
    """
    lacking = dict[str, str]()
    if "F1" in plan.faults and (cut := resumes(journal, set()).cut) < plan.bites:
        lacking["F1"] = f"attempts cut after a record {cut} of {plan.bites}"
    if "GRADYARD_MUTANT" in plan.settings:  # it may have no fence that writes to the log
        if not _harm_is_done(arena, journal.rows):
            lacking["F8"] = "a late write of a frozen worker in the database"
    elif "F8" in plan.faults and not fenced_writes([arena.fleet.log(host) for host in arena.fleet.hosts]):
        lacking["F8"] = "a fenced write"
    return lacking


def _harm_is_done(arena: Arena, rows: Rows) -> bool:
    """Whether a frozen worker's late write reached the database, as it can only in a build without the fence."""
    slept = [str(job) for done in arena.done if done.fault == "F8" for job, _ in done.members]
    ended = [(rows.jobs[job], rows.results[job]) for job in slept if job in rows.results and job in rows.jobs]
    return not slept or any(
        result.attempt != job.attempt or history(arena.fleet.database, job, result)[1] for job, result in ended
    )
