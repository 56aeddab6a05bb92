"""What a run still wants before it may end: kinds of fault that have not done enough harm yet."""

from collections import Counter
from collections.abc import Mapping

from gradyard.jobs.errors import GradyardError
from tests.faults.arena import Arena
from tests.faults.bites import Journal
from tests.faults.figures import fenced_writes, resumes
from tests.faults.plans import Plan
from tests.faults.rows import Rows, history


def still_wanted(plan: Plan, arena: Arena, inflicted: Mapping[str, int]) -> list[str]:
    """First by what was inflicted, which costs nothing to know; then by what the rows say of it."""
    least = {name: 1 if name == "F14" else plan.bites for name in inflicted}  # one pack of F14 loses many runners
    few = [name for name, count in inflicted.items() if count < least[name]]
    if few:
        return [f"{name} inflicted {inflicted[name]} of {least[name]}" for name in few]
    try:
        rows = Rows.read(arena.fleet.database)
    except GradyardError:
        return ["a database that answers"]
    journal = Journal(list(arena.done), arena.log, rows, arena.watch)
    return [*_lacking_bites(journal.bites(), inflicted, plan.bites), *_lacking_harm(plan, arena, journal)]


def _lacking_bites(bites: Counter[str], inflicted: Mapping[str, int], least: int) -> list[str]:
    return [f"{name} bit {bites[name]} of {least}" for name in inflicted if bites[name] < least]


def _lacking_harm(plan: Plan, arena: Arena, journal: Journal) -> list[str]:
    """What the faults should have brought about between them: attempts cut and resumed, late writes refused."""
    lacking = []
    if "F1" in plan.faults and (cut := resumes(journal, set()).cut) < plan.bites:
        lacking.append(f"attempts cut after a record {cut} of {plan.bites}")
    if "GRADYARD_MUTANT" in plan.settings:  # it may have no fence that could be seen at work
        if not _harm_is_done(arena, journal.rows):
            lacking.append("a sleeper's late words in the database")
    elif "F8" in plan.faults and not fenced_writes([arena.fleet.log(host) for host in arena.fleet.hosts]):
        lacking.append("a fenced write")
    return lacking


def _harm_is_done(arena: Arena, rows: Rows) -> bool:
    """Whether a build without the fence had its chance: something of a sleeper's late words is in the database."""
    slept = [str(job) for done in arena.done if done.fault == "F8" for job, _ in done.members]
    ended = [(rows.jobs[job], rows.results[job]) for job in slept if job in rows.results and job in rows.jobs]
    return not slept or any(
        result.attempt != job.attempt or history(arena.fleet.database, job, result)[1] for job, result in ended
    )
