"""Exports take as much memory for many jobs as for a few, and a client that stops reading holds up no other request."""

import socket
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from flask.testing import FlaskClient

from gradyard import Client
from gradyard.jobs.curves import Summary
from gradyard.jobs.exports import Form
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Progress
from service.exports import slices
from tests.actors import claimed, worker_of
from tests.service.gunicorn_process import GunicornProcess

STEPS = 4_000  # 16 KB of losses a job
FEW, MANY = 60, 240

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def stored(client: FlaskClient, database: Database, jobs: int, steps: int = STEPS) -> str:
    """A batch of so many jobs that run and have recorded all of their losses."""
    sweep = {"spec": {"stage": "tensor", "steps": steps}, "grid": {"seed": {"stop": jobs}}}
    batch: str = client.post("/v1/batches", json=sweep).json["id"]  # type: ignore[index]
    losses = np.random.default_rng(0).random(steps, dtype=np.float32)
    summary = Summary(train_seconds=1.0, records=1)
    summary.take(losses, 0)
    worker = replace(worker_of(database), most_members=jobs)
    while jobs:
        claim = claimed(database, worker)
        with database.begin() as connection:
            members = [Progress(member.held, 0, losses, summary) for member in claim.members]
            jobs -= len(lifecycle.record_all(connection, members).stored)
    return batch


def highest(client: FlaskClient, batch: str, form: Form, curves: str) -> int:
    """The most memory, of Python and of Arrow, that an export took at any time; in bytes."""
    pool = pa.system_memory_pool()
    pa.set_memory_pool(pool)
    tracemalloc.start()
    arrow = 0
    query = f"curves={curves}&losses=base64&format={form}"
    with client.get(f"/v1/batches/{batch}/export?{query}", buffered=False) as response:
        for _ in response.response:
            arrow = max(arrow, pool.bytes_allocated())
    python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return python + arrow


@pytest.mark.slow
def test_the_memory_of_an_export_does_not_grow_with_its_jobs(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_JOBS", 50)
    monkeypatch.setattr(slices, "SLICE_BYTES", 2**18)
    few, many = stored(client, database, FEW), stored(client, database, MANY)
    for form, curves in ((Form.PARQUET, "list"), (Form.ARROW, "list"), (Form.NDJSON, "list"), (Form.CSV, "long")):
        highest(client, few, form, curves)  # what is loaded and compiled once
        of_few, of_many = highest(client, few, form, curves), highest(client, many, form, curves)
        assert of_many < 1.25 * of_few + 2**18, (form, of_few, of_many)


@pytest.fixture
def api(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[GunicornProcess]:
    """An API with two threads, as a process."""
    monkeypatch.setenv("GRADYARD_API_THREADS", "2")
    process = GunicornProcess(tmp_path, database_url, None)
    process.start()
    yield process
    process.stop()


@pytest.mark.slow
def test_clients_that_stop_reading_hold_up_no_other(
    client: FlaskClient, database: Database, api: GunicornProcess
) -> None:
    stored(client, database, 125, steps=64_000)  # 32 MB: more than a server takes before its client has it
    request = b"GET /v1/jobs/export?curves=list HTTP/1.1\r\nHost: localhost\r\n\r\n"
    stuck = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(6)]
    for each in stuck:
        each.sendall(request)
        assert each.recv(100)
    with Client(f"http://127.0.0.1:{api.port}", retry_seconds=0) as asks:
        assert len(list(asks.jobs(limit=5))) == 5
        assert sum(1 for _ in asks.export_lines(where="seed < 20", curves="none")) == 20
    for each in stuck:
        each.close()
