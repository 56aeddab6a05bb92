"""Verifies a run after its end: reads every row, compares every bit, and measures what the service promises."""

from dataclasses import dataclass

import numpy as np

from tests.faults import expected, promises
from tests.faults.arena import Arena
from tests.faults.backlog import slowed
from tests.faults.bites import Journal
from tests.faults.checker import Verdict, check_bits, check_jobs, check_requests
from tests.faults.dependencies import check_dependencies
from tests.faults.fairness import check_fairness
from tests.faults.figures import Resumes, cancels, fenced_writes, figures, resumes, seconds_of
from tests.faults.fleet import Fleet
from tests.faults.lanes import Lanes
from tests.faults.leaks import check_canaries
from tests.faults.load import Load, counted
from tests.faults.plans import Plan
from tests.faults.report import Report
from tests.faults.rows import Rows, history
from tests.faults.stories import stories
from tests.faults.summaries import check_summaries
from tests.faults.usage import Usage
from tests.faults.verb_checks import check_verbs, rows_left
from tests.tracebacks import unexpected_errors


@dataclass(frozen=True)
class Ran:
    """What is left after a run. starts: how soon jobs started at its end, beside jobs for a GPU and without them."""

    arena: Arena
    lanes: Lanes
    load: Load
    usage: Usage
    seconds: float
    rested: bool
    starts: dict[str, list[float]]


def verify(plan: Plan, skipped: dict[str, str], ran: Ran) -> Report:
    """Check everything, and stop the fleet meanwhile."""
    arena, fleet, log = ran.arena, ran.arena.fleet, ran.arena.log
    rows = Rows.read(fleet.database)
    verdict = _verdict(plan, ran, rows)
    journal = Journal(arena.done, log, rows, arena.watch)
    measured, of_cancels = figures(journal) | ran.starts, seconds_of(cancels(journal))
    spoiled = {str(job) for done in arena.done if done.fault == "F17" for job, _ in done.members}
    resumed = resumes(journal, spoiled)
    return Report(
        plan.database, plan.seed, ran.seconds, verdict, journal.bites(), plan.bites, tuple(plan.faults), skipped,
        fenced_writes([fleet.log(host) for host in fleet.hosts]), resumed,
        measured, np.array(of_cancels), ran.usage.lines() + stories(journal),
        _starts_on_wrong_clock(fleet, rows) if fleet.build.clock else None,
        broken_promises(plan, journal, measured | {promises.CANCEL: of_cancels}, resumed),
        counted(plan.amount, log),
    )  # fmt: skip


def _verdict(plan: Plan, ran: Ran, rows: Rows) -> Verdict:
    fleet, log, usage = ran.arena.fleet, ran.arena.log, ran.usage
    verdict = check_jobs(log, rows)
    check_requests(verdict, log, rows)
    check_verbs(verdict, log, rows, rows_left(fleet.database, log.told.deleted))
    check_fairness(verdict, rows)
    check_dependencies(verdict, log, rows, fleet.database)
    check_summaries(verdict, fleet.database)
    succeeded = [job for job, row in rows.jobs.items() if row.state == "succeeded" and job in log.accepted]
    found = {
        job: history(fleet.database, rows.jobs[job], rows.results[job]) for job in succeeded if job in rows.results
    }
    compared = found if plan.compares_bits else {}
    for busy in usage.runners_without_a_job():
        verdict.add("I7", busy)
    check_bits(verdict, log, found, expected.trained_alone(log.accepted[job].spec for job in compared))
    usage.after_rest()
    fleet.stop()
    for left in usage.left_behind():
        verdict.add("I7", left)
    check_canaries(verdict, fleet.folder, fleet.database, ran.load.secrets())
    for error in unexpected_errors(fleet.folder):
        verdict.add("I18", error)
    for failure in [*ran.lanes.failures, *([str(ran.load.failure)] if ran.load.failure else [])]:
        verdict.add("run", failure)
    if not ran.rested:
        verdict.add("I2", f"not every job had ended {plan.rest_seconds:.0f} s after the last fault")
    return verdict


def broken_promises(plan: Plan, journal: Journal, measured: dict[str, list[float]], resumed: Resumes) -> list[str]:
    """All broken promises. The short form checks no times, since it shares the machine with other tests."""
    lines = list(promises.wrongs(journal))
    if not plan.until_bitten:
        lines += promises.broken(measured) + promises.costly_kills(resumed) + slowed(measured, plan.amount.waiting)
        lines += promises.missing_cancels(journal) if "F16" in plan.faults else []
    return lines


def _starts_on_wrong_clock(fleet: Fleet, rows: Rows) -> int:
    """How many attempts began on the host with the wrong clock."""
    name = fleet.hosts[-1].name
    return sum(event.to_state == "running" and f"@{name} " in event.actor for event in rows.all_events())
