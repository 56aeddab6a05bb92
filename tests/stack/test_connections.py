"""How many connections to PostgreSQL a service holds: a number that operators plan with."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from gradyard.store.database import Database
from tests.stack.service_processes import Service

pytestmark = pytest.mark.stack

OF_A_SLOT, OF_MAINTENANCE, OF_THE_API = 2, 1, 9  # as docs/operations.md says
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def test_a_slot_holds_two_connections_and_an_idle_api_at_most_nine(service_on: Callable[[str], Service]) -> None:
    service = service_on("postgresql")
    for device in ("cpu", "gpu"):
        job = service.client.submit({"stage": "tensor", "steps": 50, "device": device})
        assert service.client.wait(job.id, timeout=60).state == "succeeded"
    database = Database(service.environment["DATABASE_URL"])
    with database.read() as connection:
        held = connection.execute(text(SESSIONS)).scalar_one()
    database.close()
    assert 2 * OF_A_SLOT < held <= 2 * OF_A_SLOT + OF_MAINTENANCE + OF_THE_API, held
