"""What happens to the jobs of a pack that failed. A failure counts against a job only where the job was alone.

In a pack of several every job is handed back instead, and its next pack is smaller.
"""

import hashlib
from typing import Any

from sqlalchemy import Connection

from gradyard.jobs.errors import ContentUnavailable
from gradyard.jobs.events import EventKind
from gradyard.jobs.states import Reason
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import ClaimedJob
from workers.protocol.messages import FailedMessage
from workers.supervisor.data.dataset_values import FileGone
from workers.supervisor.pack import Member, Pack

CRASHES_ALONE = 3
_NO_RUNNER_SECONDS = 5.0  # before a job is tried again whose runner could not be started
_LONGEST_WAIT_SECONDS = 300.0  # between two tries of a job whose file cannot be read
_BACKOFF_SECONDS = 1.0  # doubled with each failure


def pack_failed(connection: Connection, pack: Pack, failed: FailedMessage, *, actor: str) -> None:
    """The trainer raised: it counts against the member that it named, or that was alone. Hand the others back.

    One that the pack does not have, or that has left it, names none: else all would be handed back for ever.
    """
    named = failed.member if failed.member in pack.members else None
    for member in pack.in_order():
        if pack.width == 1 or member.index == named:
            _member_failed(connection, member.job, failed, actor)
        elif named is not None:
            _hand_back(connection, member, "another job of its pack failed", EventKind.PACK_FAILED, actor)
        else:
            quoted = f": {failed.message}" if pack.of_one_project else ""  # it may quote another project's data
            _shrink(connection, pack, member, f"its pack failed{quoted}", EventKind.PACK_FAILED, actor)


def pack_crashed(connection: Connection, pack: Pack, cause: str, *, actor: str) -> None:
    """The runner died: it counts against a job that was alone. In a pack the job that caused it is not known."""
    for member in pack.in_order():
        if pack.width > 1:
            _shrink(connection, pack, member, cause, EventKind.RUNNER_DIED, actor)
        else:
            _crashed_alone(connection, member.job, cause, actor)


def _crashed_alone(connection: Connection, job: ClaimedJob, cause: str, actor: str) -> None:
    # Read now: a record of this attempt may have reset the count that the claim holds.
    crashes = queries.crashes_of(connection, job.id) + 1
    if crashes >= CRASHES_ALONE:
        message = f"{cause} while it trained this job alone, {CRASHES_ALONE} times"
        lifecycle.fail(connection, job.held, Reason.POISON, message, actor=actor, crashes=crashes)
    else:
        lifecycle.hand_back(
            connection, job.held, actor=actor, detail=cause, kind=EventKind.RUNNER_DIED, crashes=crashes
        )


def runner_not_started(connection: Connection, pack: Pack, cause: str, *, actor: str) -> None:
    """No runner could be started: this host is the cause, so the jobs wait a few seconds for another one."""
    for member in pack.in_order():
        _hand_back(connection, member, cause, EventKind.RUNNER_NOT_STARTED, actor, wait_seconds=_NO_RUNNER_SECONDS)


def worker_stops(connection: Connection, pack: Pack, cause: str, *, actor: str) -> None:
    """The worker must stop, and its runner has sent no state. It counts against no job."""
    for member in pack.in_order():
        _hand_back(connection, member, cause, EventKind.HANDED_BACK, actor)


def without_file(connection: Connection, pack: Pack, error: ContentUnavailable, *, actor: str) -> None:
    """Their file cannot be read. Where the content of a project's file is gone its jobs fail: no attempt would find it.

    Else this host, or the place of files, is the cause, and the jobs wait for another try, longer each time.
    """
    for member in pack.in_order():
        if isinstance(error, FileGone) and member.job.project_id == error.project_id:
            message = f"{error}; upload the same file once more, and retry the job"
            lifecycle.fail(connection, member.job.held, Reason.INVALID_DATA, message, actor=actor)
        else:
            seconds = min(_LONGEST_WAIT_SECONDS, _NO_RUNNER_SECONDS * 2.0 ** min(member.job.attempt - 1, 10))
            cause = "another job of its pack has no file" if isinstance(error, FileGone) else str(error)
            _hand_back(connection, member, cause, EventKind.FILE_UNREADABLE, actor, wait_seconds=seconds)


def device_failed(connection: Connection, pack: Pack, cause: str, worker: WorkerInfo) -> None:
    """The GPU cannot be used: drain it, and hand the jobs back. It counts against none of them."""
    fleet.drain_device(connection, worker, cause)
    for member in pack.in_order():
        _hand_back(connection, member, f"its device failed: {cause}", EventKind.DEVICE_FAILED, worker.name)


def engine_unusable(connection: Connection, pack: Pack, *, actor: str) -> None:
    """The compiled engine does not work here, and the next attempt is eager. It counts against no job."""
    for member in pack.in_order():
        detail = "no graph could be captured; it is trained eagerly"
        _hand_back(connection, member, detail, EventKind.ENGINE_UNUSABLE, actor)


def timed_out(connection: Connection, pack: Pack, member: Member, *, actor: str) -> None:
    """A member ran for longer than its `timeout_seconds`: fail it where it was alone, else have it tried alone."""
    job, limit = member.job, member.job.timeout_seconds
    if pack.width > 1:
        detail = f"its timeout_seconds, {limit:g} s, are over in a pack of {pack.width}; it is tried alone"
        _hand_back(connection, member, detail, EventKind.PACK_TIMED_OUT, actor, max_pack=1)
    else:
        message = f"it ran for longer than its timeout_seconds, {limit:g} s, and reached step {pack.step}"
        lifecycle.fail(connection, job.held, Reason.TIMEOUT, message, actor=actor)


def diverged(connection: Connection, member: Member, step: int, *, actor: str) -> None:
    """The loss of that step was not finite: fail the job, as every other attempt would end there too."""
    job = member.job
    if step == 0:  # before any update, so no learning rate is to blame
        advice = "; the data or the initial weights are too large for its dtype, or the stage cannot take them"
    else:
        warnings = queries.warnings_of(connection, job.id)
        rates = [each["message"] for each in warnings if each["pointer"] == "/learning_rate"]
        advice = f"; {rates[0]}" if rates else "; try a smaller learning_rate"
    message = f"the loss of step {step} is not finite{advice}"
    lifecycle.fail(connection, job.held, Reason.DIVERGED, message, actor=actor, diverged_at=step)


def _member_failed(connection: Connection, job: ClaimedJob, failed: FailedMessage, actor: str) -> None:
    message = f"{failed.message} (at step {failed.step})"
    error = hashlib.sha256(message.encode()).hexdigest()
    columns: dict[str, Any] = {"failures": job.failures + 1, "last_error": error}
    may_retry = job.last_error != error and job.failures < int(job.spec["max_retries"])
    if may_retry and not failed.out_of_memory:
        lifecycle.hand_back(
            connection, job.held, actor=actor, detail=message, kind=EventKind.WILL_RETRY,
            wait_seconds=_BACKOFF_SECONDS * 2**job.failures, **columns,
        )  # fmt: skip
    else:
        reason = Reason.OUT_OF_MEMORY if failed.out_of_memory else Reason.ERROR
        lifecycle.fail(connection, job.held, reason, message, actor=actor, **columns)


def _shrink(connection: Connection, pack: Pack, member: Member, detail: str, kind: EventKind, actor: str) -> None:
    """Hand a member back, for a pack of half the width."""
    _hand_back(connection, member, detail, kind, actor, max_pack=max(1, pack.width // 2))


def _hand_back(
    connection: Connection, member: Member, detail: str, kind: EventKind, actor: str, *,
    max_pack: int | None = None, wait_seconds: float = 0.0,
) -> None:  # fmt: skip
    lifecycle.hand_back(
        connection, member.job.held, actor=actor, detail=detail, kind=kind, max_pack=max_pack,
        wait_seconds=wait_seconds,
    )  # fmt: skip
