"""Proves from the rows and the requests that nothing was lost, doubled or misreported (invariants I1 to I9)."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from gradyard.jobs.events import EventKind
from gradyard.jobs.states import FINISHED, MOVES, State
from tests.faults.client import BUSY, RequestLog
from tests.faults.expected import key_of
from tests.faults.orders import Order
from tests.faults.rows import Rows

DOCUMENTED = {200, 202, 204, 409, 410, *BUSY}  # 410 after a delete, and no other (I11)


@dataclass
class Verdict:
    """The counts and violations of one run. Without violations nothing was lost, doubled or misreported."""

    accepted: int = 0
    terminal: int = 0
    deleted: int = 0
    lost: int = 0
    double: int = 0
    equal: int = 0
    compared: int = 0
    violations: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, invariant: str, what: str) -> None:
        """Add a violation of that invariant."""
        self.violations[invariant].append(what)


def check_jobs(log: RequestLog, rows: Rows) -> Verdict:
    """I1 to I5: each accepted job exists, has ended once, by legal moves, and in an allowed state."""
    verdict = Verdict(accepted=len(log.accepted))
    for job_id, order in log.accepted.items():
        job = rows.jobs.get(job_id)
        if job is None and job_id in log.told.deleted:
            verdict.deleted += 1
            continue
        if job is None:
            verdict.lost += 1
            verdict.add("I1", f"{job_id} ({order.key}) was accepted and is gone")
            continue
        _check_end(verdict, job_id, order, job, rows.events.get(job_id, []))
        _check_result(verdict, job_id, job, rows.results.get(job_id))
        _check_path(verdict, job_id, job, rows.events.get(job_id, []))
    _check_keys(verdict, log, rows)
    return verdict


def check_requests(verdict: Verdict, log: RequestLog, rows: Rows) -> None:
    """I8: every status is a documented one. I9: a job that was reported as cancelled stays cancelled."""
    for asked in log.asked:
        where = f"{asked.method} {asked.path}: {asked.status}"
        if asked.status is not None and asked.status not in DOCUMENTED and not asked.foreign:
            verdict.add("I8", where)
        if asked.status in BUSY and not asked.retry_after:
            verdict.add("I8", f"{where} without Retry-After")
        if asked.path.endswith("/cancel") and asked.state == State.CANCELLED:
            job = rows.jobs.get(str(asked.job_id))
            if job is not None and job.state != State.CANCELLED:
                verdict.add("I9", f"{asked.job_id} was answered cancelled, and is {job.state}")


def check_bits(verdict: Verdict, log: RequestLog, found: dict[str, tuple[str, str | None]],
               expected: dict[tuple[str, int], str]) -> None:  # fmt: skip
    """I6: no history has a hole, and each equals, bit for bit, that of a training without faults, if there is one."""
    for job_id, (digest, wrong) in found.items():
        spec = log.accepted[job_id].spec
        verdict.compared += bool(expected)
        if wrong is not None:
            verdict.add("I6", f"{job_id}: {wrong}")
        elif expected and digest != expected[key_of(spec), spec["steps"]]:
            verdict.add("I6", f"{job_id} ({log.accepted[job_id].key}) has other bits than a training without faults")
        else:
            verdict.equal += bool(expected)


def _check_end(verdict: Verdict, job_id: str, order: Order, job: Row[Any], events: list[Row[Any]]) -> None:
    if job.state not in FINISHED:
        verdict.lost += 1
        verdict.add("I2", f"{job_id} ({order.key}) is still {job.state} at the end of the run")
        return
    verdict.terminal += 1
    if job.state not in order.ends:
        path = "; ".join(f"{event.to_state} {event.attempt} {event.detail or ''}" for event in events)
        verdict.add("I2", f"{job_id} ({order.key}) {job.state}: {job.reason}: {job.message} ({path})")


def _check_result(verdict: Verdict, job_id: str, job: Row[Any], result: Row[Any] | None) -> None:
    if (job.state == State.SUCCEEDED) != (result is not None):
        verdict.add("I3", f"{job_id} is {job.state}, and its result is {'there' if result else 'missing'}")
    if result is not None and result.attempt != job.attempt:
        verdict.double += 1
        verdict.add("I5", f"{job_id}: attempt {result.attempt} stored its result after claim {job.attempt}")


def _check_path(verdict: Verdict, job_id: str, job: Row[Any], events: list[Row[Any]]) -> None:
    before, attempt, ends = None, 0, 0
    for place, event in enumerate(events, start=1):
        claims = event.to_state == State.RUNNING
        stays = event.kind == EventKind.RELEASED and before == event.to_state == State.QUEUED
        moves = before is None or before in MOVES[State(event.to_state)]
        legal = event.from_state == before and (stays or moves)
        if not legal or event.sequence != place or event.attempt != attempt + claims:
            verdict.add("I4", f"{job_id}: event {place}: {event.from_state} to {event.to_state}, {event.attempt}")
        before, attempt = event.to_state, event.attempt
        ends += event.to_state in FINISHED
    if ends > 1:
        verdict.double += 1
        verdict.add("I4", f"{job_id} ended {ends} times")
    if not events or events[0].from_state is not None or before != job.state or attempt != job.attempt:
        verdict.add(
            "I4", f"{job_id}: its events end with {before}, attempt {attempt}; it is {job.state}, {job.attempt}"
        )


def _check_keys(verdict: Verdict, log: RequestLog, rows: Rows) -> None:
    """Part of I1: each idempotency key made one job, and every job was requested."""
    by_key = defaultdict(set)
    for asked in log.asked:
        if asked.status == 202 and asked.key is not None:
            by_key[asked.key].add(asked.job_id)
    for key, ids in by_key.items():
        if len(ids) > 1:
            verdict.double += len(ids) - 1
            verdict.add("I1", f"the key {key} made {len(ids)} jobs")
    for stranger in rows.jobs.keys() - log.accepted.keys():
        verdict.double += 1
        verdict.add("I1", f"{stranger} exists, but no answer to a client named it")
