"""Metrics of jobs that run: a question about their batch sees what they have recorded."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import update

from gradyard.jobs.questions.named import fields_named
from gradyard.jobs.questions.order import order
from gradyard.jobs.questions.read import question
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from gradyard.store.queries.exports.asked import jobs_to_export
from gradyard.store.queries.questions.counts import count_asked
from gradyard.store.queries.questions.pages import ids_asked
from gradyard.store.queries.questions.without_curves import without_curves
from gradyard.store.tables import Job
from tests.actors import claimed, progress_of, worker_of
from tests.store.test_batches import stored

HIGHEST = {"ended": 0.7, "waits again": 0.8, "runs": 0.9}


@dataclass(frozen=True)
class Batch:
    """A batch of which one job has ended, one waits again, one runs, and one runs and has recorded nothing."""

    id: UUID
    jobs: dict[str, UUID]

    def names(self, ids: list[UUID]) -> list[str]:
        return [name for job_id in ids for name, each in self.jobs.items() if each == job_id]


@pytest.fixture
def batch(database: Database) -> Batch:
    sweep = {"spec": {"stage": "module", "steps": 9}, "grid": {"seed": {"stop": 4}}}
    batch = stored(database, sweep)
    held = claimed(database, worker_of(database))
    members = dict(zip((*HIGHEST, "is new"), held.members, strict=True))
    with database.begin() as connection:
        for name, highest in HIGHEST.items():
            progress = progress_of(members[name], [9.0, 1.0, 3.0, 2.0])
            progress.metrics["accuracy"] = np.array([0.5, highest, 0.6])
            assert lifecycle.record(connection, progress)
        done = members["ended"].held
        assert lifecycle.succeed(connection, done, Outcome({"a": 1.0}, None, {}), actor="worker")
        again = update(Job).where(Job.id == members["waits again"].held.job_id)
        connection.execute(again.values(state="queued", claim_id=None))
    return Batch(batch.batch_id, {name: member.held.job_id for name, member in members.items()})


ANSWERS = {
    "metrics.accuracy.max > 0.75": {"waits again", "runs"},
    "metrics.accuracy.max <= 0.8": {"ended", "waits again"},
    "metrics.accuracy.last == 0.6 and metrics.accuracy.min < metrics.accuracy.last": {"ended", "waits again", "runs"},
    "metrics.accuracy.max_step == 1 and not metrics.accuracy.max > 0.85": {"ended", "waits again"},
    "metrics.accuracy.max is None": {"is new"},
    "metrics.accuracy.max in (0.7, 0.9)": {"ended", "runs"},
    "metrics.accuracy.max > 0.75 and first_below(2) == 1": {"waits again", "runs"},
    "metrics.val_loss.min is not None": set(),
}


@pytest.mark.parametrize("asked", ANSWERS)
def test_a_question_about_a_batch_sees_what_running_jobs_have_measured(
    database: Database, batch: Batch, asked: str
) -> None:  # fmt: skip
    with database.snapshot() as connection:
        found = ids_asked(connection, 1, question(asked), limit=9, batch=batch.id)
        assert set(batch.names(found.ids)) == ANSWERS[asked]
        term = without_curves(connection, 1, question(asked), batch.id)
        assert count_asked(connection, 1, term, batch=batch.id) == len(ANSWERS[asked])
        if "first_below" not in asked:
            assert len(jobs_to_export(connection, 1, question(asked), batch.id)) == len(ANSWERS[asked])


def test_without_a_batch_only_jobs_that_have_ended_have_metrics(database: Database, batch: Batch) -> None:
    with database.read() as connection:
        found = ids_asked(connection, 1, question("metrics.accuracy.max > 0"), limit=9)
    assert batch.names(found.ids) == ["ended"]


def test_an_order_of_a_batch_and_its_columns_have_the_metrics_of_running_jobs(database: Database, batch: Batch) -> None:
    by = order("-metrics.accuracy.max")
    with database.read() as connection:
        page = queries.jobs_in_order(connection, 1, by, question("steps == 9"), limit=2, batch=batch.id)
        rest = queries.jobs_in_order(connection, 1, by, None, limit=2, batch=batch.id, cursor=page.next_cursor)
        ids = [row.id for row in (*page.jobs, *rest.jobs)]
        shown = queries.values_of_jobs(
            connection, 1, fields_named("metrics.accuracy.max, seed"), [*batch.jobs.values()]
        )
    assert batch.names(ids) == ["runs", "waits again", "ended"]
    told = {name: shown[job_id]["metrics.accuracy.max"] for name, job_id in batch.jobs.items()}
    assert told == HIGHEST | {"is new": None}
