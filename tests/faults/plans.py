"""What a run is asked to do, and its two forms: the short one inside every test run, and the full one."""

import argparse
from dataclasses import dataclass, field, replace

from tests.faults.arena import Form
from tests.faults.load import Amount

SHORT = Form(lease_seconds=3.0, redis_frozen_seconds=3.0, database_away_seconds=2.0, pack=8, victim_steps=40_000)
FULL = Form(lease_seconds=15.0, redis_frozen_seconds=30.0, database_away_seconds=4.0, pack=128, victim_steps=60_000)
# With the defaults of a service: what is measured is what a user gets.
SHORT_SETTINGS = {"GRADYARD_LEASE_SECONDS": "3", "GRADYARD_HEARTBEAT_SECONDS": "0.5", "GRADYARD_RECORD_SECONDS": "1"}


@dataclass(frozen=True)
class Plan:
    """What to run. `bites` of each kind are wanted; the run goes on for them until `most_seconds` are over."""

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
    until_bitten: bool = False  # ends as soon as each kind has bitten, whatever is still to be submitted
    settings: dict[str, str] = field(default_factory=dict)


def short_plan(database: str, faults: str, seed: int = 1, mutant: str | None = None) -> Plan:
    """What every test run does: each kind bites at least once, a service with a short lease, small jobs.

    A mutant is hurt three times as often: it may be lucky once.
    """
    options = argparse.Namespace(jobs=60, faults=tuple(faults.split(",")), seed=seed, database=database, form="short",
                                 minutes=0.3, mutant=mutant)  # fmt: skip
    plan = plan_of(options)
    return replace(plan, bites=3) if mutant else plan


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan that these arguments ask for."""
    short = options.form == "short"
    mutant = {"GRADYARD_MUTANT": options.mutant} if options.mutant else {}
    minutes = options.minutes or (0.5 if short else 3.0)
    return Plan(
        options.database, options.faults, options.seed, amount_of(options.jobs, minutes * 60, short),
        SHORT if short else FULL, (3.0, 6.0) if short else (10.0, 30.0), bites=1 if short else 5,
        most_seconds=minutes * 60 * 3 + (240 if short else 120), haste=0.5 if short else options.pauses,
        until_bitten=short, settings=(SHORT_SETTINGS if short else {}) | mutant,
    )  # fmt: skip


def amount_of(jobs: int, seconds: float, short: bool) -> Amount:
    """Most jobs are short; the long ones make more than half of the training, and grow with the time there is."""
    long = max(4, jobs // 20 if short else min(jobs // 16, int(seconds / 10)))
    return Amount(max(0, jobs - long), long, seconds)
