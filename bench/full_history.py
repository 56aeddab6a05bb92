"""A history of a million jobs for benchmarks: through the tables and the functions of the service, with random values.

Each job has a curve and four parameters (learning rate, seed, points, and the optimizer's momentum where its stage has
an optimizer). Nine of ten succeeded, the rarest stage has one in a thousand, half of them carry tags, one in ten has a
name, seven of ten belong to a batch of 10,000, and one in five measured an accuracy.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, text

from gradyard.jobs.settings import load
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.parameters import ParametersOfJob
from gradyard.jobs.submission.parse import parse_job
from gradyard.store.bulk import insert_rows
from gradyard.store.database import Database
from gradyard.store.lifecycle.submit import columns_of
from gradyard.store.summaries import end_summaries, store_jobs
from gradyard.store.tables import Batch, LossChunk, MetricSummary
from gradyard.store.upkeep.space import vacuum_tables

AT_ONCE = 10_000
STEPS = 100
BATCHES_IN_TEN = 7
FIRST = 1_780_000_000.0  # seconds since 1970 of the first submission; one a second follows


@dataclass(frozen=True)
class _Random:
    """Random columns of some consecutive jobs."""

    stage: list[str]
    state: list[str]
    losses: np.ndarray  # (jobs, STEPS), float64
    learning_rate: np.ndarray
    seed: np.ndarray
    points: np.ndarray
    momentum: np.ndarray
    accuracy: np.ndarray
    some: np.ndarray  # (jobs, 4), uniform in [0, 1): what has a tag, a name, an accuracy, a long training


def fill(database: Database, count: int, seed: int = 0, began: float = FIRST) -> None:
    """Store `count` ended jobs in project 1, the ids in the order of submission. began: when the first one came."""
    random = np.random.default_rng(seed)
    templates = {name: columns_of(parse_job(f'{{"stage": "{name}", "steps": {STEPS}}}'.encode(), load()))
                 for name in STAGES}  # fmt: skip
    for first in range(0, count, AT_ONCE):
        with database.begin() as connection:
            _store(connection, first, min(AT_ONCE, count - first), _drawn(random, AT_ONCE), templates, began)
    if database.is_sqlite:
        with database.begin() as connection:
            connection.execute(text("ANALYZE"))
    else:  # as autovacuum does within minutes; the server of tests and benchmarks has none
        vacuum_tables(database)


def batch_id(number: int) -> UUID:
    """The batch of the jobs from `number` times 10,000 on, where they have one."""
    return UUID(int=(7 << 76) + (1 << 127) + number)


def _drawn(random: np.random.Generator, count: int) -> _Random:
    *frequent, rare = STAGES
    first = 10 ** random.uniform(-1, 4, count)
    decay = np.exp(-random.uniform(0.001, 0.1, count)[:, None] * np.arange(STEPS))
    uniform = random.random(count)
    return _Random(
        stage=[rare if one < 0.001 else frequent[int(one * 997) % len(frequent)] for one in uniform],
        state=["failed" if one < 0.05 else "cancelled" if one < 0.1 else "succeeded" for one in random.random(count)],
        losses=first[:, None] * decay + random.random((count, 1)),
        learning_rate=10 ** random.uniform(-7, -2, count), seed=random.integers(0, 1000, count),
        points=random.choice([200, 500, 2000, 10_000], count), momentum=random.choice([0.0, 0.5, 0.9, 0.99], count),
        accuracy=random.random(count), some=random.random((count, 4)),
    )  # fmt: skip


def _store(
    connection: Connection, first: int, count: int, drawn: _Random, templates: dict[str, dict[str, Any]], began: float
) -> None:  # fmt: skip
    batch = batch_id(first // AT_ONCE) if first // AT_ONCE % 10 < BATCHES_IN_TEN else None
    if batch is not None:
        row = {"id": batch, "project_id": 1, "size": count, "submitted_at": began + first, "submitted_by": "bench"}
        insert_rows(connection, Batch, [row])
    jobs = [_job(first + index, index, batch, drawn, templates, began) for index in range(count)]
    store_jobs(connection, jobs, [ParametersOfJob.of(job["spec"], job["resolved"]) for job in jobs])
    insert_rows(connection, LossChunk, [
        {"job_id": job["id"], "project_id": 1, "start_step": 0, "steps": STEPS,
         "losses": drawn.losses[index].astype(job["dtype"]).tobytes()} for index, job in enumerate(jobs)
    ])  # fmt: skip
    end_summaries(connection, [job["id"] for job in jobs])
    insert_rows(connection, MetricSummary, [
        {"job_id": job["id"], "project_id": 1, "name": "accuracy", "stage": job["stage"], "state": job["state"],
         "last": value, "last_step": STEPS - 1, "min": 0.0, "min_step": 0,
         "max": value, "max_step": STEPS - 1}
        for job, value, some in zip(jobs, drawn.accuracy.tolist(), drawn.some[:, 2], strict=False) if some < 0.2
    ])  # fmt: skip


def _job(
    number: int, index: int, batch: UUID | None, drawn: _Random, templates: dict[str, dict[str, Any]], began: float
) -> dict[str, Any]:  # fmt: skip
    stage, state, curve = drawn.stage[index], drawn.state[index], drawn.losses[index]
    template, rate = templates[stage], float(drawn.learning_rate[index])
    spec = template["spec"] | {"learning_rate": rate, "seed": int(drawn.seed[index])}
    spec["dataset"] = {**(spec.get("dataset") or {}), "points": int(drawn.points[index])}
    if isinstance(spec.get("optimizer"), dict):
        spec["optimizer"] = {**spec["optimizer"], "momentum": float(drawn.momentum[index])}
    tagged, named, _, long = drawn.some[index]
    tags = {"course": f"w{number % 12}", "owner": f"person-{number % 400}"} if tagged < 0.5 else {}
    submitted = began + number
    return template | {
        "id": UUID(int=(7 << 76) + (1 << 126) + number), "project_id": 1, "batch_id": batch, "retry_of": None,
        "rank": 0.0, "cost_seconds": 1.0, "share_seconds": 0.0, "precedence": 0,
        "name": f"run-{number}" if named < 0.1 else None, "tags": tags, "spec": spec,
        "resolved": {**template["resolved"], "learning_rate": rate}, "state": state, "attempt": 1,
        "reason": "error" if state == "failed" else None, "started_at": submitted + 1,
        "finished_at": submitted + 2 + float(long) * 60, "steps_done": STEPS, "loss_first": float(curve[0]),
        "loss_last": float(curve[-1]), "loss_min": float(curve.min()), "loss_min_step": int(curve.argmin()),
        "setup_seconds": 0.01, "train_seconds": float(long) * 60, "records": 1, "pack_size": 1,
    }  # fmt: skip
