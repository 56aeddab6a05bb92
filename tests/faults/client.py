"""A client of the service that logs every request, and repeats each until it is answered."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.faults.orders import Order

PATIENCE_SECONDS = 180.0
BUSY = (429, 503)


@dataclass(frozen=True)
class Asked:
    """One request and its answer. status: None where the connection failed."""

    at: float  # seconds since 1970
    seconds: float
    method: str
    path: str
    status: int | None
    key: str | None = None
    job_id: str | None = None
    state: str | None = None
    retry_after: bool = False


class RequestLog:
    """All requests of all clients of a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asked: list[Asked] = []
        self.accepted: dict[str, Order] = {}  # by job id

    def add(self, asked: Asked, order: Order | None = None) -> None:
        """Log a request; where it was accepted, also which job its order became."""
        with self._lock:
            self.asked.append(asked)
            if order is not None and asked.status == 202 and asked.job_id is not None:
                self.accepted[asked.job_id] = order


class LoggingClient:
    """A client for one thread."""

    def __init__(self, url: str, log: RequestLog) -> None:
        self._http = httpx.Client(base_url=url, timeout=20.0, trust_env=False)
        self._log = log

    def submit(self, order: Order) -> str:
        """Submit an order and return the id of its job. Repeats with the same key while the service is busy or away."""
        headers = {"Idempotency-Key": order.key, "Content-Type": "application/json"}
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._ask("POST", "/v1/jobs", order, content=json.dumps(order.spec), headers=headers)
            if answer is not None and answer.status_code == 202:
                return str(answer.json()["id"])
            if answer is not None and answer.status_code not in BUSY:
                raise RuntimeError(f"{order.spec} was refused: {answer.text}")
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"{order.key} was not accepted within {PATIENCE_SECONDS:.0f} s")
            time.sleep(0.2)

    def cancel(self, job_id: str) -> None:
        """Cancel a job. Repeats while the service is busy or away."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            answer = self._ask("POST", f"/v1/jobs/{job_id}/cancel")
            if answer is not None and answer.status_code not in BUSY:
                return
            time.sleep(0.2)
        raise RuntimeError(f"the cancel of {job_id} was not answered within {PATIENCE_SECONDS:.0f} s")

    def job(self, job_id: str) -> dict[str, Any] | None:
        """The job as JSON; None where the service does not answer."""
        answer = self._ask("GET", f"/v1/jobs/{job_id}")
        return answer.json() if answer is not None and answer.status_code == 200 else None

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _ask(self, method: str, path: str, order: Order | None = None, **more: Any) -> httpx.Response | None:
        at, began = time.time(), time.monotonic()
        key = order.key if order else None
        try:
            answer = self._http.request(method, path, **more)
        except httpx.TransportError:
            self._log.add(Asked(at, time.monotonic() - began, method, path, None, key))
            return None
        body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        self._log.add(Asked(
            at, time.monotonic() - began, method, path, answer.status_code, key, body.get("id"), body.get("state"),
            "retry-after" in answer.headers,
        ), order)  # fmt: skip
        return answer
