"""What tests of two transactions at once share."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from gradyard.jobs.settings import Settings, load
from gradyard.store.database import Database
from tests.servers import PostgresServer
from tests.store.interleaving import Stage, stage_on


@pytest.fixture(scope="module")
def stage(postgres: PostgresServer) -> Iterator[Stage]:
    """Two connections to a database of their own."""
    name = f"two_at_once_{uuid4().hex}"
    database = Database(postgres.clone(name))
    with stage_on(database) as stage:
        yield stage
    database.close()
    postgres.drop(name)


@pytest.fixture
def settings_of_stage(tmp_path: Path) -> Settings:
    """What submitting needs; the stage has the database."""
    return load(database_url="sqlite://", redis_url="redis://127.0.0.1:1/0", state_dir=tmp_path, admin_key=None)
