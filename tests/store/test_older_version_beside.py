"""While an older version submits and ends jobs, the tables change, and no summary is missing or wrong afterwards."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from alembic import command
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Uuid, bindparam, insert, inspect, select, text

import migrations
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.questions.order import order
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store import queries
from gradyard.store.database import Database
from gradyard.store.queries.questions.orders import jobs_in_order
from gradyard.store.tables import Job, JobSummary, MetricSummary, Table
from migrations import metric_rows
from migrations.running import alembic_config, run_steps
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.stack.until import until
from tests.store.test_summaries import assert_like_the_rows, parameters

BEFORE = "0019_pre"
"""The last step that the older version knows: it stores no summaries."""


def submits(database: Database, like: dict[str, Any]) -> Any:
    """Store a job as the older version does. like: the columns of a job."""
    job = like | {"id": new_id()}
    with database.begin() as connection:
        connection.execute(insert(Job.__table__).values(job))  # type: ignore[arg-type]
    return job["id"]


def ends(database: Database, job_id: Any) -> None:
    """End a job as the older version does."""
    end = text("UPDATE jobs SET state = 'cancelled', finished_at = 7.0, loss_min = 0.5 WHERE id = :job")
    with database.begin() as connection:
        connection.execute(end.bindparams(bindparam("job", type_=Uuid())), {"job": job_id})


@pytest.fixture
def like(database: Database, settings: Settings) -> dict[str, Any]:
    """The columns of a job that the older version knows, at the tables that it knows."""
    submitted(database, settings, tags={"course": "w3"}, seed=5)
    with database.read() as connection:
        row = connection.execute(select(Job.__table__)).one()._mapping
    database.close()
    migrations.downgrade(database.url, BEFORE)
    with database.read() as connection:
        known = {column["name"] for column in inspect(connection).get_columns("jobs")}
    return {column.key: row[column] for column in Job.__table__.columns if column.name in known}


def add_what_later_steps_add(database: Database) -> None:
    """Let this version work with the tables of `0021_pre`, as the older one must be able to.

    The next step is one for which the older version must be gone, and this one needs columns of those after it.
    """
    Table.metadata.create_all(database.engine)
    with database.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        for table in Table.metadata.sorted_tables:
            known = {each["name"] for each in inspect(connection).get_columns(table.name)}
            for column in table.columns:
                if column.name not in known:
                    made = Column(
                        column.name, column.type, nullable=column.nullable, server_default=column.server_default
                    )
                    operations.add_column(table.name, made)


@contextmanager
def older_writers(database: Database, like: dict[str, Any]) -> Iterator[list[Any]]:
    """Two threads that submit jobs and end half of them, all the time; the ids of the submitted ones."""
    finished, ids = threading.Event(), list[Any]()

    def write() -> None:
        while not finished.wait(0.02):  # else SQLite's lock is never free for the upgrade
            job = submits(database, like)
            if len(ids) % 2:
                ends(database, job)
            ids.append(job)

    with ThreadPoolExecutor(2) as threads:
        writing = [threads.submit(write) for _ in range(2)]
        try:
            yield ids
        finally:
            finished.set()
        for each in writing:
            each.result()


def test_an_older_version_goes_on_while_the_summaries_are_filled(
    database: Database, like: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrations.summary_rows.SLICE", 7)
    for _ in range(20):
        submits(database, like)
    with older_writers(database, like) as ids:
        until(lambda: len(ids) > 10)
        migrations.upgrade(database.url, "0021_pre")
        add_what_later_steps_add(database)
        written = len(ids)
        until(lambda: len(ids) > written + 10)
    assert_like_the_rows(database)
    database.close()
    migrations.upgrade(database.url)
    migrations.check(database)
    assert_like_the_rows(database)
    assert parameters(database, ids[-1])["dataset.function"] == "sin"
    with database.read() as connection:
        assert set(connection.execute(select(JobSummary.seed)).scalars()) == {5}


def test_both_versions_end_and_see_each_others_jobs_before_the_last_step(
    database: Database, settings: Settings, like: dict[str, Any]
) -> None:
    migrations.upgrade(database.url, "0021_pre")
    add_what_later_steps_add(database)
    old, new = submits(database, like), submitted(database, settings)
    with database.read() as connection:
        listed = {job.id for job in queries.jobs_newest_first(connection, 1, limit=9).jobs}
    assert {old, new} < listed
    succeeds(database, claimed(database, worker_of(database)))
    latest = submitted(database, settings)
    ends(database, latest)
    assert_like_the_rows(database)


def stores_a_metric(database: Database, job_id: Any, name: str) -> None:
    """Store the figures of a metric as the version before `0035_pre` does: it knows no stage of them."""
    store = text(
        "INSERT INTO metric_summaries (job_id, project_id, name, last, last_step, min, min_step, max, max_step) "
        "VALUES (:job, 1, :name, 0.5, 3, 0.5, 3, 0.5, 3) ON CONFLICT (job_id, name) DO UPDATE SET last = 0.5"
    )
    with database.begin() as connection:
        connection.execute(store.bindparams(bindparam("job", type_=Uuid())), {"job": job_id, "name": name})


def test_metrics_that_an_older_version_stores_have_the_stage_and_state_of_their_job(
    database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    database.close()
    migrations.downgrade(database.url, "0034_pre")
    stores_a_metric(database, job, "before")
    database.close()
    migrations.upgrade(database.url, "pre")
    stores_a_metric(database, job, "beside")
    database.close()
    migrations.upgrade(database.url)
    figures = MetricSummary.__table__.columns
    with database.read() as connection:
        stored = connection.execute(select(figures.name, figures.stage, figures.state).order_by(figures.name)).all()
        (found,) = queries.jobs_newest_first(connection, 1, limit=9).jobs
        listed = jobs_in_order(connection, 1, order("metrics.before.max"), None, limit=9, state=State.SUCCEEDED).jobs
    assert stored == [("before", found.stage, "succeeded"), ("beside", found.stage, "succeeded")]
    assert [each.id for each in listed] == [job]


def stages_and_states(database: Database) -> list[Any]:
    """The stage and the state of each row of `metric_summaries`, by the name of the metric."""
    figures = MetricSummary.__table__.columns
    with database.read() as connection:
        return list(connection.execute(select(figures.stage, figures.state).order_by(figures.name)).all())


def without_metrics_filled(database: Database, settings: Settings) -> list[Any]:
    """Jobs that have ended, each with two metrics without a stage, at `0035_pre`; their ids."""
    ids = [submitted(database, settings, seed=seed) for seed in range(3)]
    succeeds(database, claimed(database, worker_of(database)))
    database.close()
    migrations.downgrade(database.url, "0034_pre")
    for job, name in product(ids, ("a", "b")):
        stores_a_metric(database, job, name)
    database.close()
    run_steps(database.url, lambda connection: command.upgrade(alembic_config(connection), "0035_pre"))
    return ids


def test_metrics_are_completed_in_slices_and_an_upgrade_that_broke_off_goes_on(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = without_metrics_filled(database, settings)
    monkeypatch.setattr(metric_rows, "SLICE", 1)
    with monkeypatch.context() as broken_off:
        fill = Mock(side_effect=[metric_rows._fill, RuntimeError("killed")])
        broken_off.setattr(metric_rows, "_fill", lambda connection, some: fill()(connection, some))
        with pytest.raises(RuntimeError, match="killed"):
            migrations.upgrade(database.url)
    assert sorted(state is None for _, state in stages_and_states(database)) == [False] * 2 + [True] * 4
    database.close()
    migrations.upgrade(database.url)
    assert stages_and_states(database) == [("tensor", "succeeded")] * 2 * len(ids)


def test_the_indexes_are_not_built_over_metrics_without_a_stage(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_metrics_filled(database, settings)
    monkeypatch.setattr(migrations, "FILLS", {})
    with pytest.raises(RuntimeError, match="run gradyard db upgrade again"):
        migrations.upgrade(database.url)


def test_a_metric_that_is_stored_before_the_end_has_its_state_once_it_is_stored_again(
    database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    database.close()
    migrations.downgrade(database.url, "0036_pre")
    stores_a_metric(database, job, "gap")
    assert stages_and_states(database) == [(None, None)]
    succeeds(database, claimed(database, worker_of(database)))
    stores_a_metric(database, job, "gap")
    assert stages_and_states(database) == [("tensor", "succeeded")]


def test_metrics_of_a_job_that_the_oldest_version_ended_are_found_after_the_upgrade(
    database: Database, like: dict[str, Any]
) -> None:
    migrations.upgrade(database.url, "0021_pre")
    job = submits(database, like)
    chunk = text(
        "INSERT INTO metric_chunks (job_id, project_id, name, start_step, every, metric_values) "
        "VALUES (:job, 1, 'gap', 0, 1, :measured)"
    )
    with database.begin() as connection:
        of_job = bindparam("job", type_=Uuid())
        connection.execute(chunk.bindparams(of_job), {"job": job, "measured": np.array([3.0, 2.0]).tobytes()})
    ends(database, job)
    database.close()
    migrations.upgrade(database.url)
    assert stages_and_states(database) == [("tensor", "cancelled")]


def test_a_version_that_names_no_submitter_stores_batches_beside_this_one(database: Database) -> None:
    database.close()
    migrations.downgrade(database.url, "0022_post")
    migrations.upgrade(database.url, "pre")
    older = "INSERT INTO batches (id, project_id, size, submitted_at) VALUES (:id, 1, 1, 7.0)"
    with database.begin() as connection:
        connection.execute(text(older).bindparams(bindparam("id", type_=Uuid())), {"id": new_id()})
    with database.read() as connection:
        (batch,), _ = queries.batches_newest_first(connection, 1, limit=9)
        assert queries.submitter_of_batch(connection, batch) is None
