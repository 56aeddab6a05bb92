"""Each query that runs often finds its rows by an index: none reads the table of jobs, and none sorts what it found."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import CacheStats

from gradyard.jobs.questions.order import order
from gradyard.jobs.questions.read import question
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import FINISHED, State
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.queries.ids import newest_ids
from gradyard.store.queries.questions.narrowed import candidates
from gradyard.store.tables import FIGURES_IN_ORDER
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.store.full_database import JOBS
from tests.store.test_batches import stored

A_BATCH = UUID(int=1)


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
    whole |= step.endswith("sqlite_autoindex_jobs_1 (id<?)")  # all that are older than a page are nearly all
    return whole or "Seq Scan on jobs" in step or "Seq Scan on summaries" in step


FILTERS = list(product([None, *State], [None, "nn"], [None, A_BATCH]))


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_every_filter_of_the_list_reads_an_index(full: Database) -> None:
    with full.read() as connection:
        for (state, stage, batch), before in product(FILTERS, [None, UUID(int=2**127)]):
            query = newest_ids(1, 50, state=state, stage=stage, batch=batch, before=before)
            steps = explained(connection, query)
            assert not any(map(reads_whole_table, steps)), (state, stage, batch, before, steps)


def explained(connection: Connection, query: Any) -> list[str]:
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
def test_what_is_written_about_a_pack_touches_its_jobs_alone(full: Database) -> None:
    worker, said = worker_of(full), listened(full)
    succeeds(full, claimed(full, worker))
    written = {statement: values for statement, values in said if statement.startswith(("INSERT", "UPDATE", "DELETE"))}
    assert len(written) > 8
    with full.read() as connection:
        for statement, values in written.items():
            steps = plan_of(connection, statement, values)
            assert not any(map(reads_whole_table, steps)), (statement, steps)


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
            of_lanes = int("lane" in statement)  # the first jobs of all lanes, one each
            assert sum("Sort" in step or "TEMP B-TREE" in step for step in steps) == of_lanes, steps


def test_a_claim_compiles_no_statement_again(database: Database, settings: Settings) -> None:
    """To compile one takes ten times as long as SQLite takes for it, at each look for work."""
    worker, found = worker_of(database), list[tuple[str, CacheStats]]()
    for _ in range(2):
        submitted(database, settings, device="auto")
        succeeds(database, claimed(database, worker))
    submitted(database, settings, device="auto")

    def note(*call: Any) -> None:
        if call[4].compiled is not None:
            found.append((call[2], call[4].cache_hit))

    event.listen(database.engine, "before_cursor_execute", note)
    claimed(database, worker)
    with database.begin() as connection:
        assert lifecycle.claim(connection, worker, 15.0) is None
    assert len(found) > 7
    assert [statement for statement, hit in found if hit is not CacheStats.CACHE_HIT] == []


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("asked", ["steps == 9", "loss_min > loss_last", "loss_first < 9 or seed == 2"])
def test_a_window_of_a_question_is_read_by_the_primary_key(full: Database, asked: str) -> None:
    with full.read() as connection:
        said = listened(full)
        queries.jobs_asked(connection, 1, question(asked), limit=50)
        for statement, values in said[:2]:
            steps = plan_of(connection, statement, values)
            # PostgreSQL may fetch the window in the order of the table and sort what is left: it expects few of them
            assert any("pk_summaries" in step or "sqlite_autoindex_summaries" in step for step in steps), steps
            assert not any("Seq Scan" in step or "TEMP B-TREE" in step for step in steps), (statement, steps)


def listened(database: Database) -> list[tuple[str, Any]]:
    """The statements and values that are executed from now on."""
    said: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    return said


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("sign", ["", "-"])
def test_an_order_of_a_figure_is_read_from_its_index(full: Database, sign: str) -> None:
    with full.read() as connection:
        said = listened(full)
        for name, state, stage in product(FIGURES_IN_ORDER, [None, *State], [None, "nn"]):
            said.clear()
            by = order(f"{sign}{name}")
            page = queries.jobs_in_order(connection, 1, by, None, limit=2, state=state, stage=stage)
            if page.next_cursor:
                queries.jobs_in_order(
                    connection, 1, by, None, limit=2, state=state, stage=stage, cursor=page.next_cursor
                )
            of_figure = [(statement, values) for statement, values in said if f'"{name}" IS NOT NULL' in statement]
            assert of_figure
            for statement, values in of_figure:
                steps = plan_of(connection, statement, values)
                assert not any(map(reads_whole_table, steps)), (name, state, stage, steps)
                if state is None or state in FINISHED:
                    assert any(f"ix_summaries_by_{name}" in step for step in steps), (name, state, stage, steps)


RARE = [
    "loss_min < 9", 'finished_at > "2026-11-01"', 'stage == "optim"', 'state == "failed"', 'state == "running"',
    'tags.course == "w3"', 'name == "first"', "metrics.accuracy.max > 0.5",
    "pinned == True", 'stage in ("optim", "dynamic")', 'steps == 9 and name == "first"',
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_rare_jobs_are_found_by_an_index(full: Database) -> None:
    with full.read() as connection:
        said = listened(full)
        for asked in RARE:
            said.clear()
            candidates(connection, 1, question(asked))
            assert said, asked
            for statement, values in list(said):
                steps = plan_of(connection, statement, values)
                assert not any(map(reads_whole_table, steps)), (asked, statement, steps)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_counts_read_indexes(full: Database) -> None:
    said: list[tuple[str, Any]] = []
    event.listen(full.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    with full.snapshot() as connection:
        queries.counts_of_batches(connection, [A_BATCH])
        queries.failures_of_batch(connection, A_BATCH)
        queries.marked_among(connection, [A_BATCH])
        queries.live_among(connection, [(1, UUID(int=number)) for number in range(1000)])
        fleet.something_to_claim(connection, worker_of(full).capabilities)
        for statement, values in list(said):
            if statement.startswith(("SELECT", "WITH")):
                steps = plan_of(connection, statement, values)
                assert not any(map(reads_whole_table, steps)), (statement, steps)
