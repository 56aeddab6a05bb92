"""Each query that runs often finds its rows by an index: none reads the table of jobs, and none sorts what it found."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, text

from gradyard.jobs.states import State
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.queries.ids import newest_ids, next_ids_of_batch
from tests.actors import worker_of
from tests.store.test_batches import stored

A_BATCH = UUID(int=1)
JOBS = 3000  # of so many PostgreSQL chooses indexes, as of a million


@pytest.fixture(scope="module")
def plans() -> dict[str, list[str]]:
    """The plans that were read, by their query; for a failure's message."""
    return {}


def plan_of(connection: Connection, statement: str, values: Any) -> list[str]:
    """The steps by which the database executes the statement."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return [row[3] for row in rows]
    return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)]


def reads_whole_table(step: str) -> bool:
    """Whether the step reads `jobs` or `summaries` from end to end; an index of the few that run is no table."""
    whole = step.startswith(("SCAN jobs", "SCAN summaries")) and "ix_jobs_running" not in step
    return whole or "Seq Scan on jobs" in step or "Seq Scan on summaries" in step


@pytest.fixture
def full(database: Database) -> Database:
    """A database with some thousand jobs, which ended, wait for a GPU that is not there, or wait."""
    sweep = {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": JOBS}}}
    batch = stored(database, sweep)
    with database.begin() as connection:
        while lifecycle.cancel_some(connection, batch.batch_id, actor="test").more:
            pass
    stored(database, {"spec": {"stage": "nn", "steps": 4, "device": "gpu"}, "grid": {"seed": {"stop": JOBS}}})
    stored(database, {"spec": {"stage": "optim", "steps": 4}, "grid": {"seed": {"stop": 3}}})
    with database.begin() as connection:
        connection.execute(text("ANALYZE"))
    return database


FILTERS = list(product([None, *State], [None, "nn"], [None, A_BATCH]))


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_every_filter_of_the_list_reads_an_index(full: Database) -> None:
    with full.read() as connection:
        for state, stage, batch in FILTERS:
            query = newest_ids(1, 50, state=state, stage=stage, batch=batch, before=UUID(int=2**127))
            steps = _explained(connection, query)
            assert not any(map(reads_whole_table, steps)), (state, stage, batch, steps)
        steps = _explained(connection, next_ids_of_batch(A_BATCH, None, 50))
        assert not any(map(reads_whole_table, steps)), steps


def _explained(connection: Connection, query: Any) -> list[str]:
    compiled = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
    return plan_of(connection, str(compiled).replace("%", "%%"), ())


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_claim_reads_no_job_that_its_worker_may_not_take(full: Database) -> None:
    worker, said = worker_of(full), list[tuple[str, Any]]()
    event.listen(full.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    with full.begin() as connection:
        claim = lifecycle.claim(connection, worker, 15.0)
    assert claim is not None
    assert claim.stage == "optim"
    explained = {statement: values for statement, values in said if statement.startswith(("SELECT", "WITH"))}
    with full.read() as connection:
        for statement, values in explained.items():
            steps = plan_of(connection, statement, values)
            assert not any(map(reads_whole_table, steps)), (statement, steps)
            if "lane" in statement:
                assert any("ix_jobs_lanes" in step for step in steps), steps


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_claim_sorts_none_of_the_jobs_that_came_a_moment_ago(database: Database) -> None:
    stored(database, {"spec": {"stage": "optim", "steps": 4}, "grid": {"seed": {"stop": JOBS}}})
    worker, said = worker_of(database), list[tuple[str, Any]]()
    with database.begin() as connection:  # without an ANALYZE: of these jobs there are no statistics
        event.listen(database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
        assert lifecycle.claim(connection, worker, 15.0) is not None
        in_order = {statement: values for statement, values in said if "waited_seconds" in statement}
        assert len(in_order) == 2, "of the first job, and of those that train with it"
        for statement, values in in_order.items():
            steps = plan_of(connection, statement, values)
            assert not any("Sort" in step or "TEMP B-TREE" in step for step in steps), steps


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_counts_read_indexes(full: Database) -> None:
    said: list[tuple[str, Any]] = []
    event.listen(full.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    with full.read() as connection:
        queries.counts_of_batches(connection, [A_BATCH])
        queries.failures_of_batch(connection, A_BATCH)
        queries.batch_is_marked(connection, A_BATCH)
        fleet.something_to_claim(connection, worker_of(full).capabilities)
        for statement, values in list(said):
            if statement.startswith(("SELECT", "WITH")):
                steps = plan_of(connection, statement, values)
                assert not any(map(reads_whole_table, steps)), (statement, steps)
