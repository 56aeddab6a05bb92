"""A log that cannot be written costs its lines, and no answer."""

import contextlib
import sys
from pathlib import Path

import pytest

from tests.service.conftest import AppWith


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_requests_are_answered_while_the_disk_of_the_log_is_full(
    app_with: AppWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.suppress(OSError), Path("/dev/full").open("w", buffering=1) as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", full)
        client = app_with().test_client()
        assert [client.post("/v1/jobs", json={"stage": "nn"}).status_code for _ in range(3)] == [202, 202, 202]
        assert client.get("/v1/stages").status_code == 200
