"""A database of some thousand jobs."""

from sqlalchemy import text

from gradyard.store import lifecycle
from gradyard.store.database import Database
from tests.store.test_batches import stored

JOBS = 3000  # of so many PostgreSQL chooses indexes, as of a million


def fill(database: Database) -> None:
    """Store some thousand jobs, which ended, wait for a GPU that is not there, or wait."""
    sweep = {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": JOBS}}}
    batch = stored(database, sweep)
    with database.begin() as connection:
        while lifecycle.cancel_some(connection, batch.batch_id, actor="test").more:
            pass
    stored(database, {"spec": {"stage": "nn", "steps": 4, "device": "gpu"}, "grid": {"seed": {"stop": JOBS}}})
    stored(database, {"spec": {"stage": "optim", "steps": 4}, "grid": {"seed": {"stop": 3}}})
    with database.begin() as connection:
        connection.execute(text("ANALYZE"))
