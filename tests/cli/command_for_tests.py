"""The command run inside a test, and a small real service for it."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, job, stream

RESULT: dict[str, Any] = {
    "formula": "y = 1.25 + -0.5 x",
    "coefficients": {"a": 1.25, "b": -0.5},
    "loss": {"first": 500.0, "last": 8.5, "min": 8.25, "min_step": 1990, "diverged_at": None, "attainable": 8.125},
    "timings": {
        "queued_seconds": 0.01,
        "setup_seconds": 0.0,
        "train_seconds": 0.25,
        "steps_per_second": 8000.0,
        "pack_size": 4,
        "records": 1,
        "attempts": 1,
    },
    "environment": None,
}
DONE = job(state="succeeded", steps_done=2000, attempt=1, result=RESULT, name="mine")


@dataclass(frozen=True)
class Ended:
    """The exit status of a command and its output."""

    status: int
    out: str
    err: str


Run = Callable[..., Ended]


def service(**answers: Any) -> FakeService:
    """A service with the job DONE. `answers` replaces or adds answers, by the last part of their path."""
    usual: dict[str, Any] = {
        "jobs": {"jobs": [DONE, job()], "next_cursor": None},
        JOB_ID: DONE,
        "events": {
            "events": [
                {"sequence": 1, "from": None, "to": "queued", "actor": "api", "at": "2026-11-23T09:00:00Z"},
                {"sequence": 2, "from": "queued", "to": "running", "actor": "cpu-0", "at": "2026-11-23T09:00:01Z"},
            ]
        },
        "losses": {"steps": [0, 1999], "losses": [500.0, 8.5]},
        "nn": {
            "name": "nn",
            "defaults": {"dataset": {"kind": "function", "points": 2000}, "steps": 2000},
            "gpu_pays": {"sentence": "One GPU ends sooner from 9 jobs on.", "executions": []},
        },
        "cancel": job(state="cancelled"),
        "retry": job(retry_of="x"),
        "logs": {"logs": [{"attempt": 1, "text": "begins\n\x1b[31mTraceback", "truncated": True}]},
    }
    known = usual | answers

    def respond(asked: Asked) -> Said:
        if asked.method == "POST" and asked.path == "/v1/jobs":
            return Said(202, job(warnings=[{"pointer": "/learning_rate", "message": "is high"}]))
        if asked.headers.get("Accept") == "text/event-stream":
            return stream(ended=known[asked.path.split("/")[-2]])
        if asked.headers.get("Accept") == "application/x-npy":
            buffer = io.BytesIO()
            np.save(buffer, np.array([0.1, 1e-9], dtype=np.float32))
            return Said(200, buffer.getvalue())
        return Said(200, known[asked.path.rsplit("/", 1)[-1]])

    return FakeService(respond)
