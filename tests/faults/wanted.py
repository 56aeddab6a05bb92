"""What a run still waits for: kinds of faults that have not done enough harm yet."""

from collections import Counter
from collections.abc import Mapping

from gradyard.jobs.errors import GradyardError
from tests.faults.arena import Arena
from tests.faults.bites import Journal
from tests.faults.figures import fenced_writes, resumes
from tests.faults.load import counted
from tests.faults.pipelines import FAILED_WITH_OTHERS
from tests.faults.plans import Plan
from tests.faults.rows import Rows, history


def still_wanted(plan: Plan, arena: Arena, inflicted: Mapping[str, int]) -> list[str]:
    """One line for each kind of fault that is still wanted; empty where the run may end.

    The database is read only once enough faults were inflicted, since counting these costs nothing.
    """
    least = {name: 1 if name == "F14" else plan.bites for name in inflicted}  # one pack of F14 loses many runners
    few = [name for name, count in inflicted.items() if count < least[name]]
    if few:
        return [f"{name} inflicted {inflicted[name]} of {least[name]}" for name in few]
    counts = counted(plan.amount, arena.log)
    if "GRADYARD_MUTANT" in plan.settings:  # in the build that asks for no condition none fails
        counts.pop(FAILED_WITH_OTHERS, None)
    if few := [name for name, n in counts.items() if n < plan.bites]:
        return [f"{name} fewer than {plan.bites}" for name in few]
    try:
        rows = Rows.read(arena.fleet.database)
    except GradyardError:
        return ["a database that answers"]
    journal = Journal(list(arena.done), arena.log, rows, arena.watch)
    return [*_lacking_bites(journal.bites(), inflicted, plan.bites), *_lacking_harm(plan, arena, journal)]


def _lacking_bites(bites: Counter[str], inflicted: Mapping[str, int], least: int) -> list[str]:
    return [f"{name} did harm {bites[name]} of {least} times" for name in inflicted if bites[name] < least]


def _lacking_harm(plan: Plan, arena: Arena, journal: Journal) -> list[str]:
    """What the faults together must bring about and have not yet: attempts cut after a record, late writes refused."""
    lacking = []
    if "F1" in plan.faults and (cut := resumes(journal, set()).cut) < plan.bites:
        lacking.append(f"attempts cut after a record {cut} of {plan.bites}")
    if "GRADYARD_MUTANT" in plan.settings:  # it may have no fence that writes to the log
        if not _harm_is_done(arena, journal.rows):
            lacking.append("a late write of a frozen worker in the database")
    elif "F8" in plan.faults and not fenced_writes([arena.fleet.log(host) for host in arena.fleet.hosts]):
        lacking.append("a fenced write")
    return lacking


def _harm_is_done(arena: Arena, rows: Rows) -> bool:
    """Whether a frozen worker's late write reached the database, as it can only in a build without the fence."""
    slept = [str(job) for done in arena.done if done.fault == "F8" for job, _ in done.members]
    ended = [(rows.jobs[job], rows.results[job]) for job in slept if job in rows.results and job in rows.jobs]
    return not slept or any(
        result.attempt != job.attempt or history(arena.fleet.database, job, result)[1] for job, result in ended
    )
