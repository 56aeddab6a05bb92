"""Starts a service for a measurement, and times one job that is sent to it."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from gradyard.jobs.settings import load
from gradyard.local.stack import Stack, StackOptions

LONGEST_JOB_SECONDS = 60.0


@dataclass(frozen=True)
class Timed:
    """The times of one job by the client's clock: until the POST was answered, and until `succeeded` was read."""

    post_seconds: float
    seconds: float
    job: dict[str, Any]

    @property
    def train_seconds(self) -> float:
        """The seconds of the training itself, from the job's timings."""
        return float(self.job["result"]["timings"]["train_seconds"])

    @property
    def overhead_seconds(self) -> float:
        """The seconds of everything except the training."""
        return self.seconds - self.train_seconds

    @property
    def queued_seconds(self) -> float:
        """The seconds from the submission to the claim, by the database's clock."""
        return float(self.job["result"]["timings"]["queued_seconds"])

    @property
    def held_seconds(self) -> float:
        """The seconds from the claim to the stored result, minus the training."""
        started, finished = (datetime.fromisoformat(self.job[f"{what}_at"]) for what in ("started", "finished"))
        return (finished - started).total_seconds() - self.train_seconds


@contextmanager
def service(
    cpu_slots: int = 1, environment: Mapping[str, str] = MappingProxyType({}), folder: Path | None = None,
    gpus: str = "none", database_url: str | None = None, slots_per_gpu: int = 1,
) -> Iterator[httpx.Client]:  # fmt: skip
    """Start what `gradyard up` starts with `--cpu-slots`, `--gpus` and `--slots-per-gpu`.

    Yields an HTTP client with one open connection.

    database_url: None for a SQLite file in the folder.
    """
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with _service(folder, database_url, cpu_slots=cpu_slots, gpus=gpus, slots_per_gpu=slots_per_gpu) as client:
            yield client
    finally:
        for name, value in before.items():
            del os.environ[name]
            os.environ.update({} if value is None else {name: value})


@contextmanager
def _service(folder: Path | None, database_url: str | None, **slots: Any) -> Iterator[httpx.Client]:
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as own:
        where = {"state_dir": folder or Path(own), "port": 0, "host": "127.0.0.1", "database_url": database_url}
        settings = load(**where, admin_key=None)
        stack = Stack(StackOptions(settings, **slots))
        try:
            with httpx.Client(base_url=stack.start(), timeout=LONGEST_JOB_SECONDS + 5, trust_env=False) as client:
                yield client
        finally:
            stack.stop()


def train(client: httpx.Client, spec: dict[str, Any]) -> Timed:
    """Submit the job and wait until it has succeeded. Raises RuntimeError where it does not."""
    began = time.perf_counter()
    posted = client.post("/v1/jobs", json=spec)
    post_seconds = time.perf_counter() - began
    posted.raise_for_status()
    job = client.get(posted.headers["Location"], params={"wait": int(LONGEST_JOB_SECONDS)}).json()
    seconds = time.perf_counter() - began
    if job.get("state") != "succeeded":
        raise RuntimeError(f"the job did not succeed: {job}")
    return Timed(post_seconds, seconds, job)
