"""What a run shall do, in two forms: the short one for every test run, and the full one."""

import argparse
from dataclasses import dataclass, field, replace

from tests.faults.arena import Form
from tests.faults.load import Amount

SHORT = Form(
    lease_seconds=3.0,
    redis_frozen_seconds=3.0,
    database_away_seconds=2.0,
    pack=4,
    victim_steps=2_000,
    early=False,
    rests=True,
)
FULL = Form(lease_seconds=15.0, redis_frozen_seconds=30.0, database_away_seconds=4.0, pack=128, victim_steps=60_000)
# The full form uses the service's default settings, so that it measures what a user gets.
# A slot that trains hears a bell between two tasks, after a minute by default (F11).
SHORT_SETTINGS = {"GRADYARD_LEASE_SECONDS": "3", "GRADYARD_HEARTBEAT_SECONDS": "0.5", "GRADYARD_RECORD_SECONDS": "0.5",
                  "GRADYARD_TASK_SECONDS": "2"}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What to run. The run goes on until each kind of fault did harm `bites` times, at most for `most_seconds`."""

    database: str
    faults: tuple[str, ...]
    seed: int
    amount: Amount
    form: Form
    long_seconds: tuple[float, float]
    bites: int
    most_seconds: float
    rest_seconds: float = 300.0
    haste: float = 1.0
    until_bitten: bool = False  # end as soon as each kind did harm, even if jobs are still to be submitted
    probes: int = 5  # of how soon a job starts, in a service at rest
    settings: dict[str, str] = field(default_factory=dict)
    compares_bits: bool = True  # every history with one trained without faults; else only its length and its seams


def short_plan(
    database: str, faults: str, seed: int = 1, mutant: str | None = None, bites: int = 3, compares_bits: bool = True,
    has_pipelines: bool = False,
) -> Plan:  # fmt: skip
    """The plan of every test run: small jobs, a short lease, and at least one fault of each kind that did harm.

    mutant: a build without that safeguard. It needs three harmful faults (`bites`), as it may survive one by luck.
    has_pipelines: its load has them too.
    """
    options = argparse.Namespace(jobs=24, faults=tuple(faults.split(",")), seed=seed, database=database, form="short",
                                 minutes=0.2, mutant=mutant)  # fmt: skip
    plan = plan_of(options)
    if mutant is None:
        return plan
    # what its fault does not reach is left out
    links = plan.amount.link_steps if has_pipelines else 0
    load = replace(plan.amount, waiting=0, life_steps=0, link_steps=links)
    return replace(plan, bites=bites, amount=load, compares_bits=compares_bits)


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan that these arguments ask for."""
    short = options.form == "short"
    mutant = {"GRADYARD_MUTANT": options.mutant} if options.mutant else {}
    minutes = options.minutes or (0.5 if short else 3.0)
    # A clock that leaps, as that of SQLite does in F24, tells no order of events.
    links = (options.database, options.faults) != ("sqlite", ("F24",))
    return Plan(
        options.database, options.faults, options.seed, amount_of(options.jobs, minutes * 60, short, links),
        SHORT if short else FULL, (2.0, 4.0) if short else (10.0, 30.0), bites=1 if short else 5,
        most_seconds=minutes * 60 * 3 + (240 if short else 120), haste=0.5 if short else options.pauses,
        until_bitten=short, probes=1 if short else 5, settings=(SHORT_SETTINGS if short else {}) | mutant,
    )  # fmt: skip


def amount_of(jobs: int, seconds: float, short: bool, links: bool = True) -> Amount:
    """Divide `jobs` into short and long ones. The few long ones make more than half of the training time."""
    long = max(4, jobs // 20 if short else min(jobs // 16, int(seconds / 10)))
    steps = 200 if short else FULL.victim_steps // 100
    return Amount(max(0, jobs - long), long, seconds, 30 if short else 300, steps, steps if links else 0)
