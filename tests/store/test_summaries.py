"""A job's summary tells what was submitted, and after its end what its row tells; parameters are stored once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.summaries import FINAL
from gradyard.store.tables import Job, JobParameter, JobSummary, JobTag, MetricSummary, ParameterSet
from tests.actors import claimed, fails, progress_of, submitted, succeeds, worker_of
from tests.store.test_batches import stored


def summaries(database: Database) -> dict[UUID, Any]:
    """The rows of all summaries, by the id of their job."""
    with database.read() as connection:
        return {row.job_id: row for row in connection.execute(select(JobSummary.__table__))}


def parameters(database: Database, job_id: UUID) -> dict[str, Any]:
    """The parameters of a job that are no columns of its summary."""
    query = select(JobParameter.name, JobParameter.number, JobParameter.text)
    query = query.join(JobSummary, JobSummary.parameters_id == JobParameter.set_id).where(JobSummary.job_id == job_id)
    with database.read() as connection:
        return {name: text if number is None else number for name, number, text in connection.execute(query)}


def test_a_new_job_has_a_summary_of_its_spec(database: Database, settings: Settings) -> None:
    spec = {"stage": "optim", "seed": 7, "degree": 2, "dataset": {"points": 50, "noise": 0.5}, "name": "mine"}
    job = submitted(database, settings, **spec, optimizer={"name": "sgd", "momentum": 0.9}, tags={"course": "w3"})
    summary = summaries(database)[job]
    assert (summary.stage, summary.name, summary.steps, summary.points, summary.degree, summary.seed) == (
        "optim", "mine", 4, 50, 2, 7,
    )  # fmt: skip
    assert [getattr(summary, name) for name in FINAL] == [None] * len(FINAL)
    others = parameters(database, job)
    assert others["optimizer.momentum"] == 0.9
    assert others["optimizer.name"] == "sgd"
    assert others["dataset.noise"] == 0.5
    assert {"seed", "name", "stage", "dataset.points"} & set(others) == set()
    with database.read() as connection:
        assert [tuple(row) for row in connection.execute(select(JobTag.job_id, JobTag.key, JobTag.value))] == [
            (job, "course", "w3")
        ]


def test_an_automatic_learning_rate_is_stored_as_the_number(database: Database, settings: Settings) -> None:
    job = submitted(database, settings, stage="nn", learning_rate="auto")
    with database.read() as connection:
        resolved = connection.execute(select(Job.resolved)).scalar_one()
    assert summaries(database)[job].learning_rate == resolved["learning_rate"]


@pytest.mark.parametrize("size", [3, 50])  # few rows and many are sent in different ways
def test_what_a_sweep_does_not_vary_is_stored_once(database: Database, size: int) -> None:
    stored(database, {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": size}}})
    assert sorted(summary.seed for summary in summaries(database).values()) == list(range(size))
    with database.read() as connection:
        assert len(connection.execute(select(ParameterSet.id)).all()) == 1
    stored(database, {"spec": {"stage": "nn", "steps": 4, "dtype": "float64"}, "grid": {"seed": {"stop": size}}})
    with database.read() as connection:
        assert len(connection.execute(select(ParameterSet.id)).all()) == 2


def cancelled_in_the_queue(database: Database, job: UUID) -> None:
    with database.begin() as connection:
        lifecycle.request_cancel(connection, job, actor="test")


def succeeded(database: Database, job: UUID) -> None:
    succeeds(database, claimed(database, worker_of(database)))


def failed(database: Database, job: UUID) -> None:
    fails(database, claimed(database, worker_of(database)))


@pytest.mark.parametrize("end", [cancelled_in_the_queue, succeeded, failed])
def test_a_job_that_has_ended_has_its_last_figures(
    database: Database, settings: Settings, end: Callable[[Database, UUID], None]
) -> None:
    job = submitted(database, settings)
    end(database, job)
    assert summaries(database)[job].state == end.__name__.split("_")[0]
    assert_like_the_rows(database)


def test_every_member_of_a_batch_has_its_last_figures(database: Database) -> None:
    worker = worker_of(database)
    batch = stored(database, {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 20}}})
    succeeds(database, claimed(database, replace(worker, most_members=15)))
    with database.begin() as connection:
        lifecycle.cancel_some(connection, batch.batch_id, actor="test")
    assert sorted(summary.state for summary in summaries(database).values()) == ["cancelled"] * 5 + ["succeeded"] * 15
    assert_like_the_rows(database)


def assert_like_the_rows(database: Database) -> None:
    """Assert that every summary has what the row of its job has, where that has ended, and else nothing of it."""
    with database.read() as connection:
        rows = {row.id: row for row in connection.execute(select(Job.__table__))}
    found = summaries(database)
    assert found.keys() == rows.keys()
    for job_id, row in rows.items():
        final = [getattr(row, name) if row.finished_at is not None else None for name in FINAL]
        assert [getattr(found[job_id], name) for name in FINAL] == final


def test_metrics_have_their_figures_and_steps(database: Database, settings: Settings) -> None:
    submitted(database, settings, steps=6)
    claim = claimed(database, worker_of(database))
    first = replace(progress_of(claim.members[0], [9.0] * 4), metrics={"gap": np.array([3.0, np.nan])}, every=2)
    last = replace(progress_of(claim.members[0], [9.0] * 2, 4), metrics={"gap": np.array([1.5])}, every=2)
    with database.begin() as connection:
        assert lifecycle.record(connection, first)
        assert lifecycle.record(connection, last)
    succeeds_with_nothing_new(database, claim)
    with database.read() as connection:
        (row,) = connection.execute(select(MetricSummary.__table__)).all()
    assert (row.name, row.last, row.last_step, row.min, row.min_step, row.max, row.max_step) == (
        "gap", 1.5, 4, 1.5, 4, 3.0, 0,
    )  # fmt: skip


@pytest.mark.parametrize("steps", [6, 7])  # `every` divides the first
def test_the_last_figure_of_a_metric_is_that_of_the_final_weights(
    database: Database, settings: Settings, steps: int
) -> None:
    job = submitted(database, settings, steps=steps)
    claim = claimed(database, worker_of(database))
    record = replace(
        progress_of(claim.members[0], [9.0] * steps), metrics={"gap": np.array([3.0, 1.0, 2.0, 4.0][: -(-steps // 2)])},
        every=2, final_metrics={"gap": 0.5},
    )  # fmt: skip
    with database.begin() as connection:
        assert lifecycle.record(connection, record)
        assert lifecycle.record(connection, record)  # the answer to the first was lost
    succeeds_with_nothing_new(database, claim)
    with database.read() as connection:
        (row,) = connection.execute(select(MetricSummary.__table__)).all()
        curve = queries.metric_curve(connection, 1, job, "gap")
    assert (row.last, row.last_step, row.min, row.min_step) == (0.5, steps, 0.5, steps)
    assert (curve.every, curve.steps.tolist()) == (2, [*range(0, steps, 2), steps])
    assert curve.values[-1] == 0.5


def succeeds_with_nothing_new(database: Database, claim: lifecycle.Claim) -> None:
    with database.begin() as connection:
        held = claim.members[0].held
        assert lifecycle.succeed(connection, held, lifecycle.Outcome(None, None, {}), actor="worker")


def test_a_deleted_job_takes_its_summary_with_it(database: Database, settings: Settings) -> None:
    job = submitted(database, settings, tags={"course": "w3"})
    cancelled_in_the_queue(database, job)
    with database.begin() as connection:
        assert lifecycle.delete_job(connection, 1, job)
    assert summaries(database) == {}
