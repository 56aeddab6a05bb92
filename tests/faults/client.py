"""A client of the service that logs every request, and repeats each until it is answered."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.access import Access
from tests.faults.lone_transport import SECONDS, LoneTransport
from tests.faults.orders import Order
from tests.faults.told import Told

WAIT_SECONDS = 180.0
BUSY = (429, 503)
LOCAL = Access()
PAGE = 200


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
    foreign: bool = False  # it asked for a job or batch of another project


@dataclass
class RequestLog:
    """All requests of all clients of a run, the jobs that were accepted, and what was told about them."""

    asked: list[Asked] = field(default_factory=list)
    accepted: dict[str, Order] = field(default_factory=dict)  # by job id
    projects: dict[str, str] = field(default_factory=dict)  # by job id
    told: Told = field(default_factory=Told)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, asked: Asked) -> None:
        """Log a request."""
        with self._lock:
            self.asked.append(asked)

    def accept(self, job_id: str, order: Order, project: str) -> None:
        """Log which job an order became, and whose it is."""
        with self._lock:
            self.accepted[job_id] = order
            self.projects[job_id] = project


class LoggingClient:
    """A client for one thread."""

    def __init__(
        self, url: str, log: RequestLog, access: Access = LOCAL, transport: httpx.BaseTransport | None = None
    ) -> None:
        about: dict[str, Any] = {"base_url": url, "timeout": 20.0, "trust_env": False, "headers": access.headers}
        self._http = httpx.Client(transport=transport, **about)
        self._alone = httpx.Client(transport=transport or LoneTransport(), **about)
        self.log, self.project = log, access.project

    def submit(self, order: Order) -> str:
        """Submit an order and return the id of its job. Repeats with the same key while the service is busy or away."""
        answer = self.until_answered("POST", "/v1/jobs", key=order.key, json_body=order.spec)
        if answer.status_code != 202:
            raise RuntimeError(f"{order.spec} was refused: {answer.text}")
        return self._accepted(answer.json()["id"], order)

    def retry(self, job_id: str, order: Order) -> str:
        """Submit a finished job again, as this order, and return the id of the new job."""
        answer = self.until_answered("POST", f"/v1/jobs/{job_id}/retry", key=order.key)
        if answer.status_code != 202:
            raise RuntimeError(f"the retry of {job_id} was refused: {answer.text}")
        return self._accepted(answer.json()["id"], order)

    def submit_batch(self, orders: list[Order]) -> str:
        """Submit orders as one batch and return its id. The tag `order` of each tells which job it became."""
        specs = [order.spec | {"tags": {"order": order.key}} for order in orders]
        answer = self.until_answered("POST", "/v1/batches", key=orders[0].key, json_body={"jobs": specs})
        if answer.status_code != 202:
            raise RuntimeError(f"a batch of {orders[0].spec} was refused: {answer.text}")
        batch, by_key = str(answer.json()["id"]), {order.key: order for order in orders}
        for member in self.members(batch):
            self.log.accept(member["id"], by_key[member["tags"]["order"]], self.project)
        return batch

    def members(self, batch: str) -> list[dict[str, Any]]:
        """All jobs of a batch as JSON, also those that were replaced."""
        jobs: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = self.until_answered("GET", f"/v1/jobs?batch={batch}&limit={PAGE}{more}").json()
            jobs, cursor = jobs + page["jobs"], page["next_cursor"]
        return jobs

    def cancel(self, job_id: str) -> None:
        """Cancel a job. Repeats while the service is busy or away. What it takes is measured by another process."""
        self.until_answered("POST", f"/v1/jobs/{job_id}/cancel", http=self._alone)

    def job(self, job_id: str) -> dict[str, Any] | None:
        """The job as JSON; None where the service does not answer."""
        answer = self.ask("GET", f"/v1/jobs/{job_id}")
        return answer.json() if answer is not None and answer.status_code == 200 else None

    def close(self) -> None:
        """Close its connections."""
        self._http.close()
        self._alone.close()

    def until_answered(
        self, method: str, path: str, *, key: str | None = None, json_body: object = None,
        http: httpx.Client | None = None,
    ) -> httpx.Response:  # fmt: skip
        """Ask until there is an answer other than "busy". Raises RuntimeError after `WAIT_SECONDS`."""
        give_up_at = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < give_up_at:
            answer = self.ask(method, path, key=key, json_body=json_body, http=http)
            if answer is not None and answer.status_code not in BUSY:
                return answer
            time.sleep(0.2)
        raise RuntimeError(f"{method} {path} ({key}) was not answered within {WAIT_SECONDS:.0f} s")

    def ask(
        self, method: str, path: str, *, key: str | None = None, json_body: object = None, foreign: bool = False,
        http: httpx.Client | None = None,
    ) -> httpx.Response | None:  # fmt: skip
        """Ask once, and log it; None where the connection failed."""
        headers = {"Idempotency-Key": key} if key else {}
        content = None if json_body is None else json.dumps(json_body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        at, began = time.time(), time.monotonic()
        try:
            answer = (http or self._http).request(method, path, content=content, headers=headers)
        except httpx.TransportError:
            self.log.add(Asked(at, time.monotonic() - began, method, path, None, key, foreign=foreign))
            return None
        seconds = answer.extensions.get(SECONDS, time.monotonic() - began)
        body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        self.log.add(Asked(
            at, seconds, method, path, answer.status_code, key, body.get("id"), body.get("state"),
            "retry-after" in answer.headers, foreign,
        ))  # fmt: skip
        return answer

    def _accepted(self, job_id: str, order: Order) -> str:
        self.log.accept(job_id, order, self.project)
        return job_id
