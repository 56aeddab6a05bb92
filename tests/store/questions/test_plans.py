"""How questions about all jobs are answered: what is merged, joined or found at once, and not looked up job by job."""

from uuid import UUID

import pytest
from sqlalchemy import select

from gradyard.jobs.questions.named import figures_named, groups_named
from gradyard.jobs.questions.order import order
from gradyard.jobs.questions.read import question
from gradyard.jobs.states import State
from gradyard.store.database import Database
from gradyard.store.queries.ids import newest_ids
from gradyard.store.queries.page.swept import first_and_last_jobs
from gradyard.store.queries.questions.conditions import condition
from gradyard.store.queries.questions.groups import summary_asked
from gradyard.store.queries.questions.pages import ids_asked
from gradyard.store.queries.questions.streams import stages_of, streams
from gradyard.store.tables import Batch, JobSummary
from tests.store.test_query_plans import A_BATCH, explained, listened, plan_of, reads_whole_table


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_look_at_the_first_jobs_of_an_order_reads_and_sorts_no_more_of_them(full: Database, sign: str) -> None:
    with full.read() as connection:
        ordered, after = streams(connection, 1, order(f"{sign}finished_at"), None, None), (1.0, A_BATCH)
        assert ordered is not None
        said = listened(full)
        ordered.first(connection, 20, after)
        ordered.place_of(connection, 20, after)
        ordered.first_that(connection, condition(question("seed == 7")), 5, among=20, after=after)
        assert len(said) == 3
        for statement, values in list(said):
            steps = plan_of(connection, statement, values)
            merged = [step for step in steps if "MERGE (UNION ALL)" in step or "Merge Append" in step]
            assert merged, (statement, steps)
            assert not any(map(reads_whole_table, steps)), (statement, steps)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("figure", ["last", "min", "max"])
def test_an_order_of_a_metric_within_a_stage_and_a_state_is_read_from_its_index(full: Database, figure: str) -> None:
    with full.snapshot() as connection:
        if not full.is_sqlite:  # the table is empty: PostgreSQL would read it by any index, and sort
            for other in ("seqscan", "bitmapscan", "sort"):
                connection.exec_driver_sql(f"SET LOCAL enable_{other} = off")
        by, stages = order(f"-metrics.accuracy.{figure}"), len(stages_of(connection, 1))
        assert stages > 1
        for state, stage, number in (
            (None, None, 3 * stages), (State.FAILED, None, stages), (State.FAILED, "optim", 1)
        ):  # fmt: skip
            ordered = streams(connection, 1, by, state, stage)
            assert ordered is not None
            said = listened(full)
            ordered.first(connection, 20, (1.0, A_BATCH))
            steps = plan_of(connection, *said[-1])
            read = [step for step in steps if f"ix_metric_summaries_in_order_of_{figure}" in step]
            assert len(read) == number, steps
            assert not any("Sort  (" in step or "TEMP B-TREE" in step for step in steps), steps


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_where_all_jobs_are_looked_at_tags_and_metrics_are_not_looked_up_for_each(full: Database) -> None:
    with full.read() as connection:
        for asked in ('tags.course == "w3"', "metrics.accuracy.max > 0.5", 'not tags.course in ("w3", "w4")'):
            query = select(JobSummary.job_id).where(condition(question(asked), 1))
            steps = explained(connection, query)
            assert not any("CORRELATED" in step or "(SubPlan" in step for step in steps), steps  # a hashed one is none


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_summary_joins_metrics_and_tags(full: Database) -> None:
    with full.read() as connection:
        said = listened(full)
        by, of = groups_named("tags.course"), figures_named("metrics.accuracy.max")
        summary_asked(connection, 1, by=by, of=of)
        statement, values = said[-1]
        assert not any("SubPlan" in step for step in plan_of(connection, statement, values))


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_few_jobs_a_page_looks_at_the_newest_ones(full: Database) -> None:
    with full.read() as connection:
        said, of_three = listened(full), question('stage == "optim"')
        newest = ids_asked(connection, 1, of_three, limit=1)
        assert len(said[-1][1]["these_1"]) == 2
        assert newest.ids == ids_asked(connection, 1, of_three, limit=9).ids[:1]
        assert len(said[-1][1]["these_1"]) == 3
        older = ids_asked(connection, 1, of_three, limit=1, before=newest.looked_to)
        assert len(said[-1][1]["these_1"]) == 2
        assert newest.ids + older.ids == ids_asked(connection, 1, of_three, limit=2).ids


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize(("asked", "index"), [
    ('tags.course == "w3"', "ix_job_tags_newest"), ('name == "run-7"', "ix_summaries_by_name"),
])  # fmt: skip
def test_the_newest_jobs_of_a_tag_or_a_name_are_read_from_its_index_and_not_sorted(
    full: Database, asked: str, index: str
) -> None:
    with full.snapshot() as connection:
        if not full.is_sqlite:  # the table has no row with a tag or a name: PostgreSQL would read it from end to end
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        said = listened(full)
        ids_asked(connection, 1, question(asked), limit=5)
        ids_asked(connection, 1, question(asked), limit=5, before=UUID(int=2**127))
        assert len(said) == 2
        for statement, values in list(said):
            steps = plan_of(connection, statement, values)
            assert any(index in step for step in steps), steps
            assert not any("Sort" in step or "TEMP B-TREE" in step for step in steps), steps


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_the_ends_of_a_batch_are_read_from_its_index(full: Database) -> None:
    with full.read() as connection:
        largest = connection.execute(select(Batch.id).order_by(Batch.size.desc(), Batch.id).limit(1)).scalar_one()
        said = listened(full)
        (ends,) = first_and_last_jobs(connection, 1, [largest]).values()
        steps = plan_of(connection, *said[0])
    assert ends[0].id < ends[1].id
    reads = [step for step in steps if "summaries" in step]
    assert reads
    assert all("ix_summaries_of_batch" in step for step in reads), reads


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_those_that_wait_are_read_in_the_order_of_their_index_and_not_sorted(full: Database) -> None:
    with full.read() as connection:
        steps = [step for step in explained(connection, newest_ids(1, 50)) if "->" in step]
    waiting = next(step for step in steps if "on summaries" in step)
    assert "Index Only Scan Backward using ix_summaries_by_state" in waiting, steps
