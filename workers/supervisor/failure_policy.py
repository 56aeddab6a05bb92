"""What becomes of a pack that went wrong. Blame needs solitude: in company nobody is judged, the pack only shrinks."""

import hashlib
from typing import Any

from sqlalchemy import Connection

from gradyard.jobs.states import Reason
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import ClaimedJob
from workers.supervisor.pack import Member, Pack

CRASHES_ALONE = 3
MISSING_SECONDS = 5.0  # between two tries to start a runner for a job
BACKOFF_SECONDS = 1.0  # doubled with each failure


def pack_failed(connection: Connection, pack: Pack, said: dict[str, Any], *, actor: str) -> None:
    """The trainer raised: judge the member that it named or that was alone, hand the others back."""
    named, reason, message, step = said["member"], Reason(said["reason"]), said["message"], said["step"]
    for member in pack.in_order():
        if pack.width == 1 or member.index == named:
            _member_failed(connection, member.job, reason, f"{message} (at step {step})", actor)
        else:
            smaller = None if named is not None else max(1, pack.width // 2)
            why = f": {message}" if pack.of_one_project else ""  # it may quote another project's data
            detail = "another member of its pack failed" if named is not None else f"its pack failed{why}"
            _hand_back(connection, member.job, detail, actor, smaller)


def pack_crashed(connection: Connection, pack: Pack, last_words: str, *, actor: str) -> None:
    """The runner died: alone it counts as a crash of the job, in company nobody knows whose it was."""
    for member in pack.in_order():
        if pack.width > 1:
            _hand_back(connection, member.job, last_words, actor, max(1, pack.width // 2))
        else:
            _crashed_alone(connection, member.job, last_words, actor)


def _crashed_alone(connection: Connection, job: ClaimedJob, last_words: str, actor: str) -> None:
    # Read now: the claim's own figure is older than the records of this attempt, which may have forgiven it.
    crashes = queries.crashes_of(connection, job.id) + 1
    if crashes >= CRASHES_ALONE:
        message = f"{last_words} while it trained this job alone, {CRASHES_ALONE} times"
        lifecycle.fail(connection, job.id, job.attempt, Reason.POISON, message, actor=actor, crashes=crashes)
    else:
        lifecycle.hand_back(connection, job.id, job.attempt, actor=actor, detail=last_words, crashes=crashes)


def runner_missing(connection: Connection, pack: Pack, why: str, *, actor: str) -> None:
    """No runner could be started: that is this host's fault and no job's, so they wait for a better moment."""
    for member in pack.in_order():
        job = member.job
        lifecycle.hand_back(connection, job.id, job.attempt, actor=actor, detail=why, wait_seconds=MISSING_SECONDS)


def device_broken(connection: Connection, pack: Pack, why: str, worker: WorkerInfo) -> None:
    """The GPU is no good: it is drained, and the jobs go on elsewhere, unblamed."""
    fleet.drain_device(connection, worker, why)
    for member in pack.in_order():
        _hand_back(connection, member.job, f"its device failed: {why}", worker.name, None)


def fell_back_to_eager(connection: Connection, pack: Pack, *, actor: str) -> None:
    """Its engine does not work here, and the next attempt has another: nobody is blamed."""
    for member in pack.in_order():
        _hand_back(connection, member.job, "no graph could be captured; it is trained eagerly", actor, None)


def timed_out(connection: Connection, pack: Pack, member: Member, *, actor: str) -> None:
    """A member ran for longer than its `timeout_seconds`: alone it fails, in company it is tried alone."""
    job, limit = member.job, member.job.timeout_seconds
    if pack.width > 1:
        _hand_back(connection, job, f"over its {limit:g} s in a pack of {pack.width}", actor, 1)
    else:
        message = f"it ran for longer than its timeout_seconds, {limit:g} s, and reached step {pack.step}"
        lifecycle.fail(connection, job.id, job.attempt, Reason.TIMEOUT, message, actor=actor)


def diverged(connection: Connection, member: Member, step: int, *, actor: str) -> None:
    """The loss of that step was not finite: no other attempt would find another."""
    job = member.job
    limits = "".join(f"; {warning['message']}" for warning in job.warnings)
    message = f"the loss of step {step} is not finite{limits or '; try a smaller learning_rate'}"
    lifecycle.fail(connection, job.id, job.attempt, Reason.DIVERGED, message, actor=actor, diverged_at=step)


def _member_failed(connection: Connection, job: ClaimedJob, reason: Reason, message: str, actor: str) -> None:
    error = hashlib.sha256(message.encode()).hexdigest()
    columns: dict[str, Any] = {"failures": job.failures + 1, "last_error": error}
    again = job.last_error != error and job.failures < int(job.spec["max_retries"]) and reason is Reason.ERROR
    if again:
        wait = BACKOFF_SECONDS * 2**job.failures
        lifecycle.hand_back(connection, job.id, job.attempt, actor=actor, detail=message, wait_seconds=wait, **columns)
    else:
        lifecycle.fail(connection, job.id, job.attempt, reason, message, actor=actor, **columns)


def _hand_back(connection: Connection, job: ClaimedJob, detail: str, actor: str, max_pack: int | None) -> None:
    lifecycle.hand_back(connection, job.id, job.attempt, actor=actor, detail=detail, max_pack=max_pack)
