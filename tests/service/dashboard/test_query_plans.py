"""What a page reads does not grow with the history: each of its statements finds its rows by an index."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, text

from gradyard.store import lifecycle
from gradyard.store.database import Database
from service.http.services import Services
from tests.actors import claimed, worker_of
from tests.store.full_database import JOBS
from tests.store.test_batches import stored
from tests.store.test_query_plans import plan_of, reads_whole_table

OF_THOSE_THAT_WAIT = "ix_jobs_claim_order"
PATHS = (
    "/", "/jobs", "/jobs?state=cancelled", "/jobs?sort=-finished_at", "/workers", "/storage", "/keys", "/webhooks",
    "/audit",
)  # fmt: skip


@pytest.fixture
def history(database: Database) -> Database:
    """A database of some thousand jobs that ended, and three that train and wait."""
    batch = stored(database, {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": JOBS}}})
    with database.begin() as connection:
        while lifecycle.cancel_some(connection, batch.batch_id, actor="test").more:
            pass
    stored(database, {"spec": {"stage": "optim", "steps": 4}, "grid": {"steps": [4, 5, 6]}})
    claimed(database, worker_of(database))
    with database.begin() as connection:
        connection.execute(text("ANALYZE"))
    return database


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_no_statement_of_a_page_reads_the_whole_history(client: FlaskClient, history: Database) -> None:
    said, services = list[tuple[str, Any]](), client.application.extensions["gradyard"]
    assert isinstance(services, Services)
    event.listen(services.database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    for path in PATHS:
        said.clear()
        assert client.get(path, headers={"Accept": "text/html"}).status_code == 200
        explained = {statement: values for statement, values in said if statement.startswith(("SELECT", "WITH"))}
        assert explained, path
        with history.read() as connection:
            for statement, values in explained.items():
                steps = [step for step in plan_of(connection, statement, values) if OF_THOSE_THAT_WAIT not in step]
                assert not any(map(reads_whole_table, steps)), (path, statement, steps)
