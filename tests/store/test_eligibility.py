"""SQL and Python agree on which worker may claim which job."""

from itertools import product
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from gradyard.jobs.fleet import Queue
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.fleet.eligibility import RULES, able_workers, capabilities_of, claimable_by
from gradyard.store.tables import Job
from tests.actors import submitted

QUEUES, POOLS, ENGINES, MEMORIES = (
    ("cpu", "gpu"),
    (None, "big", "small"),
    ("eager", "inductor", "blas"),
    (None, 0, 10, 20),
)
STAGES = [("tensor", 1), ("tensor", 2), ("nn", 1)]


def some_worker(random: Random) -> Any:
    engines = None if random.random() < 0.2 else random.sample(ENGINES, random.randint(1, 3))
    return SimpleNamespace(
        queue=random.choice(QUEUES), pool=random.choice(POOLS), engines=engines,
        device_memory_mib=random.choice(MEMORIES), stages=dict(random.sample(STAGES, random.randint(1, 3))),
    )  # fmt: skip


def make_random_jobs(database: Database, settings: Settings, random: Random, count: int) -> None:
    """Jobs whose columns that decide a claim are drawn; half of each that may be empty is."""
    for _ in range(count):
        job = submitted(database, settings)
        stage, version = random.choice(STAGES)
        drawn = {
            "queue": random.choice(list(Queue)), "pool": random.choice(POOLS), "stage": stage,
            "numerics_version": version, "engine": random.choice([None, None, *ENGINES]),
            "gpu_memory_mib": random.choice([None, None, 5, 10, 15]),
        }  # fmt: skip
        with database.begin() as connection:
            connection.execute(update(Job).where(Job.id == job).values(drawn))


@pytest.mark.parametrize("seed", range(3))
def test_a_claim_finds_the_jobs_for_which_the_worker_is_able(database: Database, settings: Settings, seed: int) -> None:
    random = Random(seed)
    make_random_jobs(database, settings, random, 60)
    pairs = 0
    with database.read() as connection:
        jobs = connection.execute(select(*Job.__table__.columns)).all()
        for worker in [some_worker(random) for _ in range(60)]:
            found: set[UUID] = set(
                connection.execute(select(Job.id).where(*claimable_by(capabilities_of(worker)))).scalars()
            )
            assert found == {job.id for job in jobs if able_workers(job, [worker])[0]}
            pairs += len(found)
    assert 60 < pairs < 60 * 60 / 2, "the draws decide something"


@pytest.mark.parametrize("number", range(len(RULES)))
def test_each_rule_alone_agrees(database: Database, settings: Settings, number: int) -> None:
    random, rule = Random(number), RULES[number]
    make_random_jobs(database, settings, random, 40)
    verdicts: set[bool] = set()
    with database.read() as connection:
        jobs = connection.execute(select(*Job.__table__.columns)).all()
        for worker in [capabilities_of(some_worker(random)) for _ in range(40)]:
            found = set(connection.execute(select(Job.id).where(rule.sql(worker))).scalars())
            for job in jobs:
                assert (job.id in found) is rule.allows(job, worker), (job, worker)
                verdicts.add(job.id in found)
    assert verdicts == {True, False}


def test_the_first_rule_that_leaves_no_worker_is_the_reason() -> None:
    worker = SimpleNamespace(queue="gpu", pool=None, engines=["eager"], device_memory_mib=10, stages={"nn": 1})
    job: dict[str, object] = {
        "queue": "gpu",
        "pool": None,
        "stage": "nn",
        "numerics_version": 1,
        "engine": None,
        "gpu_memory_mib": None,
    }
    changes: list[tuple[dict[str, object], str]] = [
        ({"queue": "cpu"}, "no cpu worker is alive"), ({"pool": "big"}, "no gpu worker of pool big is alive"),
        ({"stage": "mlp", "numerics_version": 3}, "no gpu worker has stage mlp 3"),
        ({"engine": "blas"}, "it was begun with the engine blas, and no gpu worker that is alive has it"),
        ({"gpu_memory_mib": 2048}, "no live gpu worker has 2,048 MiB of GPU memory"),
    ]  # fmt: skip
    assert able_workers(SimpleNamespace(**job), [worker]) == ([worker], "")
    for change, reason in changes:
        assert able_workers(SimpleNamespace(**(job | change)), [worker]) == ([], reason)
    for (first, reason), (second, _) in product(changes[:1], changes[1:]):
        assert able_workers(SimpleNamespace(**(job | first | second)), [worker]) == ([], reason)
