"""One run: start a fleet, submit jobs, inflict faults, wait until all jobs have ended, and check each of them."""

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random

from tests.faults import clock, data_files, namesake_faults, network, small_disk
from tests.faults.access import keys_of_two_projects
from tests.faults.arena import Arena
from tests.faults.backlog import Backlog
from tests.faults.client import LoggingClient, RequestLog
from tests.faults.fleet import SLOTS, Build, Fleet
from tests.faults.lanes import FAULTS, Fault, Lanes
from tests.faults.load import Load
from tests.faults.orders import PLANNED_PRIORITY, OrderBook
from tests.faults.plans import Plan
from tests.faults.report import Report
from tests.faults.stopped_writers import StoppedWriters
from tests.faults.usage import Usage
from tests.faults.verification import Ran, verify
from tests.faults.wanted import look_back
from tests.faults.watch import Watch

CLOCK_OFF_SECONDS = 7200
LOOK_SECONDS = 5.0  # between two looks at what each kind did, which read the whole database
LOOK_EVERY = 10  # times what a look takes, as long is the pause until the next: the clients' threads wait for it

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
    if plan.faults == ("F24",) and plan.database == "sqlite":
        return clock.why_not()
    if fault.name == "F23":
        return namesake_faults.why_not()
    return small_disk.why_not() if fault.name == "F13" else None


def _build(plan: Plan, names: set[str]) -> Build:
    build = Build(plan.database, plan.settings, apart=bool(names & {"F9", "F10"}), small_disk="F13" in names)
    if "F10" in names:
        build.clock.update(clock.UnsteadyHost(CLOCK_OFF_SECONDS).environment)
    if names == {"F24"} and plan.database == "sqlite":  # beside others its steps would spoil their measured times
        build = replace(build, host=clock.UnsteadyHost())
    return build


def _run(plan: Plan, faults: list[Fault], skipped: dict[str, str], fleet: Fleet, say: Say) -> Report:
    log, book = RequestLog(), OrderBook(plan.seed, plan.long_seconds, rests=plan.form.rests, on_files=True)
    fleet.start()
    say(f"the service runs; {plan.amount.short + plan.amount.long} jobs, faults {' '.join(f.name for f in faults)}")
    watch = Watch(fleet.database)
    projects = keys_of_two_projects(fleet.url)
    data_files.send_in(fleet.url, projects)
    load = Load(fleet.url, log, book, plan.amount, projects, partial(watch.unfinished, PLANNED_PRIORITY))
    backlog = Backlog(LoggingClient(fleet.url, log, projects[1]), book, plan.amount.waiting, plan.probes)
    arena = Arena(fleet, watch, book, log, Random(plan.seed), plan.form)
    lanes, usage, stopped_writers = Lanes(arena, faults, plan.haste), Usage(fleet), StoppedWriters(arena)
    began = time.monotonic()
    watch.start()
    stopped_writers.start()
    backlog.submit()
    load.start()
    lanes.start()
    try:
        try:
            _until_bitten(plan, arena, lanes, load, usage, say, began)
        finally:
            lanes.stop()
            load.stop()
        say(f"no more faults, {load.submitted()}; waiting until all jobs have ended")
        resting = _rest(fleet, watch, plan.rest_seconds, usage)
        starts = backlog.end() if resting else {}
    finally:
        stopped_writers.stop()
        watch.stop()
        backlog.close()
    say("comparing every bit with a training without faults")
    return verify(plan, skipped, Ran(arena, lanes, load, usage, time.monotonic() - began, resting, starts))


def _until_bitten(plan: Plan, arena: Arena, lanes: Lanes, load: Load, usage: Usage, say: Say, began: float) -> None:
    """Wait until all jobs are submitted and every kind of fault did enough harm, at most `plan.most_seconds`.

    After the planned time of submissions the kinds rest that did enough: all at once, they let few attempts get far.
    """
    said_at, look_at, wanted = time.monotonic(), 0.0, list[str]()
    while time.monotonic() - began < plan.most_seconds:
        with suppress(OSError):
            arena.fleet.tend()
        usage.look()
        finished = load.is_done() or plan.until_bitten
        if (finished or time.monotonic() - began > plan.amount.seconds) and time.monotonic() >= look_at:
            looked_at = time.monotonic()
            wanted, sated = look_back(plan, arena, lanes.counts())
            lanes.rest(sated)
            if finished and not wanted:
                return
            rest = 0.0 if plan.until_bitten else max(LOOK_SECONDS, LOOK_EVERY * (time.monotonic() - looked_at))
            look_at = time.monotonic() + rest
        unfinished = arena.watch.unfinished() if load.is_done() else None
        if unfinished is not None and unfinished < SLOTS:
            threading.Thread(target=load.more_long_work).start()
            time.sleep(2.0)
        if time.monotonic() - said_at > 20:
            said_at = time.monotonic()
            say(f"{said_at - began:4.0f} s: {len(arena.log.accepted)} jobs accepted; inflicted {lanes.counts()}")
            if wanted or finished:
                say(f"{load.submitted()}; still wanted: {', '.join(wanted)}")
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
