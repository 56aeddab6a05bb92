"""Jobs that wait for others, however many, are in no query of a claim, a lost lease, or the end of other waits."""

from typing import Any

import pytest
from sqlalchemy import event, text

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from tests.actors import claimed, expires, submitted, worker_of
from tests.store.dependencies.pipelines import batch_after, cancels, ends, follow, members_of
from tests.store.test_batches import stored
from tests.store.test_query_plans import plan_of, reads_whole_table

MANY, WAITS = 1200, 600  # of so many PostgreSQL chooses indexes, as of a million
BY_QUEUE = ("ix_jobs_lanes", "ix_jobs_claim_order")  # both begin with the queue
FOR_A_GPU = {"stage": "tensor", "steps": 4, "device": "gpu"}


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_claim_reads_no_job_that_waits_for_others(database: Database, settings: Settings) -> None:
    first = submitted(database, settings, seed=1)
    batch_after(database, first, size=MANY)
    with database.begin() as connection:
        connection.execute(text("ANALYZE"))
    worker, said = worker_of(database), list[tuple[str, Any]]()
    event.listen(database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    with database.begin() as connection:
        claim = lifecycle.claim(connection, worker, 15.0)
    assert claim is not None
    assert [member.id for member in claim.members] == [first]
    explained = {statement: values for statement, values in said if statement.startswith(("SELECT", "WITH"))}
    with database.read() as connection:
        for statement, values in explained.items():
            steps = plan_of(connection, statement, values)
            assert not any(map(reads_whole_table, steps)), (statement, steps)
            if "lane" in statement:
                assert any(name in step for step in steps for name in BY_QUEUE), steps


SHORT = ("ix_jobs_followed", "ix_waits_decided")  # indexes of what has ended a moment ago


def reads_many(step: str, next_step: str) -> bool:
    """Whether the step reads jobs or waits from end to end, or all waits that are not over."""
    whole = reads_whole_table(step) or step.startswith("SCAN waits") or "Seq Scan on waits" in step
    all_waiting = "ix_waits_waiting on" in step and "Index Cond" not in next_step
    return (whole or all_waiting) and not any(name in step for name in SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_an_end_is_heard_of_and_a_lease_expires_without_a_look_at_other_waits(
    database: Database, settings: Settings
) -> None:
    submitted(database, settings, seed=1)
    upstream = members_of(database, stored(database, {"spec": FOR_A_GPU, "grid": {"seed": {"stop": WAITS}}}))
    jobs = [{"stage": "tensor", "steps": 4, "depends_on": [str(upstream[n % WAITS])]} for n in range(MANY)]
    stored(database, {"jobs": jobs})
    claimed(database, worker_of(database), lease=-1.0)
    with database.begin() as connection:
        connection.execute(text("ANALYZE"))
    said = list[tuple[str, Any]]()
    event.listen(database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    with database.begin() as connection:
        assert expires(connection) == 1
    assert follow(database) == {}, "nothing has ended"
    ends(database, upstream[7])
    assert follow(database) == {"cpu": MANY // WAITS}
    cancels(database, upstream[8])
    assert follow(database) == {}
    with database.snapshot() as connection:
        for statement, values in dict(said).items():
            if statement.startswith("SET LOCAL"):
                connection.exec_driver_sql(statement)
            if statement.startswith(("SELECT", "WITH", "UPDATE")):
                steps = plan_of(connection, statement, values[0] if isinstance(values, list) else values)
                assert not any(map(reads_many, steps, [*steps[1:], ""])), (statement, steps)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_claim_beside_many_takes_as_many_steps_as_alone(database: Database, settings: Settings) -> None:
    """Counted in instructions of SQLite's machine: a clock would tell how busy this one is."""

    def steps_of_a_claim() -> int:
        submitted(database, settings)
        worker, count = worker_of(database), [0]

        def more() -> int:
            count[0] += 1
            return 0

        with database.begin() as connection:
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(more, 10)
            assert lifecycle.claim(connection, worker, 15.0) is not None
            driver.set_progress_handler(None, 10)
        return count[0]

    first = submitted(database, settings, steps=9)
    alone = steps_of_a_claim()
    batch_after(database, first, size=900)
    assert steps_of_a_claim() < 2 * alone
