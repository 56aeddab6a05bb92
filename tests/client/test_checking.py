"""`check` and `check_sweep` ask a real service what a submission would be."""

import pytest

from gradyard import Client, RefusedByService
from gradyard.jobs.settings import Settings
from tests.client.real_service import real_service

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_checked_job_has_its_defaults_and_warnings_and_is_not_stored(settings: Settings) -> None:
    with real_service(settings) as url, Client(url) as client:
        checked = client.check({"stage": "tensor"}, learning_rate=1)
        assert (checked.spec["steps"], checked.warnings[0]["pointer"]) == (2000, "/learning_rate")
        assert checked.resolved is not None
        sweep = client.batches.check_sweep(stage="nn", grid={"seed": range(3), "learning_rate": [1e-6, 1]})
        assert (sweep.size, sweep.first["seed"], sweep.warnings[0]["count"]) == (6, 0, 3)
        with pytest.raises(RefusedByService, match="/steps"):
            client.jobs.check(stage="nn", steps=0)
        assert client.count() == 0
