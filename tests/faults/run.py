"""One run: start a fleet, submit jobs, inflict faults, wait until all jobs have ended, and check each of them."""

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

from tests.faults import clock, expected, network, promises, small_disk
from tests.faults.arena import Arena
from tests.faults.bites import Journal
from tests.faults.checker import check_bits, check_jobs, check_requests
from tests.faults.client import RequestLog
from tests.faults.figures import cancel_seconds, fenced_writes, figures, resumes
from tests.faults.fleet import SLOTS, Build, Fleet
from tests.faults.lanes import FAULTS, Fault, Lanes
from tests.faults.load import Load
from tests.faults.orders import OrderBook
from tests.faults.plans import Plan
from tests.faults.report import Report
from tests.faults.rows import Rows, history
from tests.faults.usage import Usage
from tests.faults.wanted import still_wanted
from tests.faults.watch import Watch

CLOCK_OFF_SECONDS = 7200


Say = Callable[[str], None]


def run(plan: Plan, say: Say) -> Report:
    """Run the plan and return its report. Removes the fleet, and also its folder where the run passed."""
    skipped = {name: why for name in plan.faults if (why := why_not(FAULTS[name], plan))}
    faults = [FAULTS[name] for name in plan.faults if name not in skipped]
    fleet = Fleet(_build(plan, {fault.name for fault in faults}))
    passed = False
    try:
        report = _run(plan, faults, skipped, fleet, say)
        passed = not report.failures()
        return report
    finally:
        fleet.remove()
        if passed:
            shutil.rmtree(fleet.folder, ignore_errors=True)
        else:
            say(f"the logs are kept in {fleet.folder}")


def why_not(fault: Fault, plan: Plan) -> str | None:
    """Why a fault cannot be inflicted on this machine and database; None where it can."""
    if fault.only_on not in (None, plan.database):
        return f"only on {fault.only_on}"
    if fault.name in ("F9", "F10"):
        return network.why_not() or (clock.why_not() if fault.name == "F10" else None)
    return small_disk.why_not() if fault.name == "F13" else None


def _build(plan: Plan, names: set[str]) -> Build:
    build = Build(plan.database, plan.settings, apart=bool(names & {"F9", "F10"}), small_disk="F13" in names)
    if "F10" in names:
        build.clock.update(clock.shim(CLOCK_OFF_SECONDS))
    return build


def _run(plan: Plan, faults: list[Fault], skipped: dict[str, str], fleet: Fleet, say: Say) -> Report:
    log, book = RequestLog(), OrderBook(plan.seed, plan.long_seconds)
    fleet.start()
    say(f"the service runs; {plan.amount.short + plan.amount.long} jobs, faults {' '.join(f.name for f in faults)}")
    watch = Watch(fleet.database)
    load = Load(fleet.url, log, book, plan.amount)
    arena = Arena(fleet, watch, book, log, Random(plan.seed), plan.form)
    lanes, usage = Lanes(arena, faults, plan.haste), Usage(fleet)
    began = time.monotonic()
    watch.start()
    load.start()
    lanes.start()
    try:
        try:
            _until_bitten(plan, arena, lanes, load, usage, say, began)
        finally:
            lanes.stop()
            load.stop()
        say("no more faults; waiting until all jobs have ended")
        resting = _rest(fleet, watch, plan.rest_seconds, usage)
    finally:
        watch.stop()
    say("comparing every bit with a training without faults")
    return _judge(plan, skipped, arena, lanes, load, usage, time.monotonic() - began, resting)


def _until_bitten(plan: Plan, arena: Arena, lanes: Lanes, load: Load, usage: Usage, say: Say, began: float) -> None:
    """Wait until all jobs are submitted and every kind of fault did enough harm, at most `plan.most_seconds`."""
    said_at = time.monotonic()
    while time.monotonic() - began < plan.most_seconds:
        with suppress(OSError):
            arena.fleet.tend()
        usage.look()
        over = load.is_done() or plan.until_bitten
        if over and not (wanted := still_wanted(plan, arena, lanes.counts())):
            return
        unfinished = arena.watch.unfinished() if load.is_done() else None
        if unfinished is not None and unfinished < SLOTS:
            threading.Thread(target=load.more_long_work).start()
            time.sleep(2.0)
        if time.monotonic() - said_at > 20:
            said_at = time.monotonic()
            say(f"{said_at - began:4.0f} s: {len(arena.log.accepted)} jobs accepted; inflicted {lanes.counts()}")
            if over:
                say(f"all jobs are submitted; still wanted: {', '.join(wanted)}")
        time.sleep(0.5)


def _rest(fleet: Fleet, watch: Watch, seconds: float, usage: Usage) -> bool:
    """Whether every job ends within that time, now without faults."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        fleet.tend()
        usage.look()
        if watch.unfinished() == 0:
            return True
        time.sleep(1.0)
    return False


def _judge(plan: Plan, skipped: dict[str, str], arena: Arena, lanes: Lanes, load: Load, usage: Usage,
           seconds: float, rested: bool) -> Report:  # fmt: skip
    fleet, log = arena.fleet, arena.log
    rows = Rows.read(fleet.database)
    verdict = check_jobs(log, rows)
    check_requests(verdict, log, rows)
    succeeded = [job for job, row in rows.jobs.items() if row.state == "succeeded" and job in log.accepted]
    found = {
        job: history(fleet.database, rows.jobs[job], rows.results[job]) for job in succeeded if job in rows.results
    }
    for busy in usage.runners_without_a_job():
        verdict.add("I7", busy)
    check_bits(verdict, log, found, expected.trained_alone(log.accepted[job].spec for job in found))
    usage.after_rest()
    fleet.stop()
    for left in usage.left_behind():
        verdict.add("I7", left)
    for failure in [*lanes.failures, *([str(load.failure)] if load.failure else [])]:
        verdict.add("run", failure)
    if not rested:
        verdict.add("I2", f"not every job had ended {plan.rest_seconds:.0f} s after the last fault")
    journal = Journal(arena.done, log, rows, arena.watch)
    measured, cancels = figures(journal), cancel_seconds(log, arena.done)
    spoiled = {str(job) for done in arena.done if done.fault == "F17" for job, _ in done.members}
    return Report(
        plan.database, plan.seed, seconds, verdict, journal.bites(), plan.bites, tuple(plan.faults), skipped,
        fenced_writes([fleet.log(host) for host in fleet.hosts]), resumes(journal, spoiled),
        measured, cancels, usage.lines() + promises.late_stories(journal),
        _starts_on_wrong_clock(fleet, rows) if fleet.build.clock else None,
        _broken_promises(plan, journal, measured | {promises.CANCEL: list(cancels)}),
    )  # fmt: skip


def _broken_promises(plan: Plan, journal: Journal, measured: dict[str, list[float]]) -> list[str]:
    """All broken promises. The short form checks no times, since it shares the machine with other tests."""
    lines = list(promises.wrongs(journal))
    if not plan.until_bitten:
        lines += promises.broken(measured)
        lines += promises.missing_cancels(journal) if "F16" in plan.faults else []
    return lines


def _starts_on_wrong_clock(fleet: Fleet, rows: Rows) -> int:
    """How many attempts began on the host with the wrong clock."""
    name = fleet.hosts[-1].name
    return sum(event.to_state == "running" and f"@{name} " in event.actor for event in rows.all_events())
