"""Writes and reads of the losses of 2,000 steps, against MLflow, both on SQLite.

python -m bench.history        (MLflow: pip install -e '.[bench]')
"""

import logging
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import numpy as np

import migrations
from bench.report import Row, table, write_results
from gradyard.jobs.curves import Summary
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import Claim, Progress

STEPS, PACK, ROUNDS = 2000, 64, 7
BATCH = 1000  # the most that MLflow takes in one call
LEASE_SECONDS = 600.0
NOTES = f"""The time of one history of {STEPS:,} float32 losses. gradyard writes the records (losses, summary of the
curve) of a pack of {PACK} in one transaction, divided by its members; or one record in its own transaction. It reads
arrays: of a pack in one query, divided by its members; or of one job. MLflow uses `log_batch` with {BATCH:,} losses at
a time and `get_metric_history`. Both commit to a SQLite file before they return. {ROUNDS} rounds in turn; median
(least-most)."""


def main() -> None:
    """Measure, print, and write the results down."""
    load, _, _ = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder, _ours(Path(folder)) as ours:
        theirs = _Mlflow(Path(folder))
        rounds = [(ours.write_pack(), ours.read_pack(), ours.write_alone(), ours.read(), ours.read_by_sqlite(),
                   theirs.write(), theirs.read()) for _ in range(ROUNDS)]  # fmt: skip
    packed, read_packed, alone, read, by_sqlite, their_write, their_read = zip(*rounds, strict=True)
    rows = [
        _ratio("write, in a pack", packed, their_write, 1000),
        _ratio("write, alone in its transaction", alone, their_write, None),
        _ratio("read, of a pack", read_packed, their_read, 500),
        _ratio("read, alone in its transaction", read, their_read, 500),
        _ratio("the same query by sqlite3 alone", by_sqlite, their_read, None),
    ]
    print(table(rows))
    write_results("Histories", "python -m bench.history", NOTES, load, rows)


def _ratio(what: str, ours: Sequence[float], theirs: Sequence[float], least: float | None) -> Row:
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    measured = (
        f"{median(ratios):,.0f}x ({min(ratios):,.0f}-{max(ratios):,.0f}): "
        f"{1000 * median(theirs):.1f} ms by {1000 * median(ours):.3f} ms"
    )
    met = None if least is None else median(ratios) >= least
    return Row(what, measured, f">= {least:,}x" if least else "-", met)


class _Ours:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._losses = np.random.default_rng(0).random(STEPS, np.float32)
        self._worker = WorkerInfo(
            new_id(),
            "bench",
            "cpu-0",
            "cpu",
            os.getpid(),
            {name: each.numerics_version for name, each in STAGES.items()},
        )
        with database.begin() as connection:
            fleet.register(connection, self._worker, LEASE_SECONDS)
        self._last: UUID | None = None
        self._pack: list[UUID] = []  # the members of the pack that was written last

    def write_pack(self) -> float:
        """Seconds to write one history, as part of a pack."""
        claim = self._claim(PACK)
        began = time.perf_counter()
        self._record(claim)
        seconds = time.perf_counter() - began
        self._pack = [member.id for member in claim.members]
        self._close(claim)
        return seconds / len(claim.members)

    def write_alone(self) -> float:
        """Seconds to write one history in its own transaction."""
        claim = self._claim(1)
        began = time.perf_counter()
        self._record(claim)
        seconds = time.perf_counter() - began
        self._close(claim)
        return seconds

    def read(self) -> float:
        """Seconds to read one history as an array."""
        assert self._last is not None
        seconds = []
        for _ in range(20):
            began = time.perf_counter()
            with self._database.read() as connection:
                losses = queries.loss_curve(connection, 1, self._last, "float32")
            seconds.append(time.perf_counter() - began)
            assert losses.tobytes() == self._losses.tobytes()
        return median(seconds)

    def read_pack(self) -> float:
        """Seconds to read one history, where all histories of the last pack are read in one query."""
        with self._database.read() as connection:
            jobs = [queries.job_by_id(connection, 1, job_id) for job_id in self._pack]
        began = time.perf_counter()
        with self._database.read() as connection:
            curves = queries.loss_curves(connection, 1, jobs)
        seconds = time.perf_counter() - began
        assert all(losses.tobytes() == self._losses.tobytes() for losses in curves.values())
        return seconds / len(jobs)

    def read_by_sqlite(self) -> float:
        """Seconds to read the bytes of one history without SQLAlchemy and without a transaction."""
        assert self._last is not None
        query = "SELECT losses FROM loss_chunks WHERE job_id = ? AND project_id = 1 ORDER BY start_step"
        connection, seconds = sqlite3.connect(self._database.engine.url.database or ""), []
        for _ in range(20):
            began = time.perf_counter()
            (losses,) = connection.execute(query, (self._last.hex,)).fetchone()
            seconds.append(time.perf_counter() - began)
            assert losses == self._losses.tobytes()
        connection.close()
        return median(seconds)

    def _claim(self, width: int) -> Claim:
        settings = Settings()
        with self._database.begin() as connection:
            for seed in range(width):
                body = f'{{"stage": "autograd", "seed": {seed}}}'.encode()
                lifecycle.submit(connection, parse_job(body, settings), project_id=1, actor="bench", max_queued=10**6)
            claim = lifecycle.claim(connection, self._worker, LEASE_SECONDS)
        assert claim is not None
        assert len(claim.members) == width
        return claim

    def _record(self, claim: Claim) -> None:
        summary = Summary()
        summary.take(self._losses, 0)
        members = [Progress(member.held, 0, self._losses, summary) for member in claim.members]
        with self._database.begin() as connection:
            assert len(lifecycle.record_all(connection, members).stored) == len(members)

    def _close(self, claim: Claim) -> None:
        self._last = claim.members[-1].id
        with self._database.begin() as connection:
            for member in claim.members:
                lifecycle.cancel_by_worker(connection, member.held, actor="bench")
            lifecycle.release(connection, claim.id, actor="bench")


@contextmanager
def _ours(folder: Path) -> Iterator[_Ours]:
    url = f"sqlite:///{folder / 'gradyard.db'}"
    migrations.upgrade(url)
    database = Database(url)
    yield _Ours(database)
    database.close()


class _Mlflow:
    def __init__(self, folder: Path) -> None:
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        from mlflow.entities import Metric
        from mlflow.tracking import MlflowClient

        self._client: Any = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
        self._experiment = self._client.create_experiment("bench")
        losses = np.random.default_rng(0).random(STEPS, np.float32).tolist()
        self._metrics = [Metric("loss", loss, 0, step) for step, loss in enumerate(losses)]
        self._run = ""

    def write(self) -> float:
        """Seconds to write one history, in a run that was created before."""
        self._run = self._client.create_run(self._experiment).info.run_id
        began = time.perf_counter()
        for begin in range(0, STEPS, BATCH):
            self._client.log_batch(self._run, self._metrics[begin : begin + BATCH])
        return time.perf_counter() - began

    def read(self) -> float:
        """Seconds to read that history as numbers."""
        began = time.perf_counter()
        history = self._client.get_metric_history(self._run, "loss")
        seconds = time.perf_counter() - began
        assert len(history) == STEPS
        return seconds


if __name__ == "__main__":
    main()
