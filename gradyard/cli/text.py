"""Numbers, times and events as a person says them."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gradyard.client.models import Event, Job, Worker
from gradyard.jobs.states import State

UUID_LETTERS = 12

STATE_STYLES = {
    State.QUEUED: "yellow",
    State.RUNNING: "cyan",
    State.SUCCEEDED: "green",
    State.FAILED: "red",
    State.CANCELLED: "magenta",
}


def printable(text: str) -> str:
    """Text from somebody else, without what would move the cursor, colour the terminal or turn the line around."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def number(value: float | None) -> str:
    """Four significant digits, as short as they go; a dash for what is not known."""
    return "-" if value is None else f"{value:.4g}"


def count(value: float | None) -> str:
    """A whole number with its thousands apart."""
    return "-" if value is None else f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """`8 ms`, `2.1 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{max(seconds, 0.0) * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def ago(moment: datetime | None) -> str:
    """How long ago that was, in its largest unit."""
    if moment is None:
        return "-"
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return f"{int(seconds)} s ago"


def clock(moment: datetime | None) -> str:
    """Date and time of day in this machine's time zone."""
    return "-" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def happened(event: Event) -> str:
    """One change of state as a sentence without a subject, which is the job."""
    attempt = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    sentences: Mapping[tuple[State | None, State], str] = {
        (None, State.QUEUED): f"submitted by {event.actor}",
        (State.QUEUED, State.RUNNING): f"taken by {event.actor}{attempt}",
        (State.RUNNING, State.QUEUED): f"back in the queue, says {event.actor}",
        (State.RUNNING, State.SUCCEEDED): f"trained to the end by {event.actor}",
        (State.RUNNING, State.FAILED): f"failed, says {event.actor}",
        (State.QUEUED, State.CANCELLED): f"cancelled by {event.actor}",
        (State.RUNNING, State.CANCELLED): f"cancelled by {event.actor}",
    }
    usual = f"{event.from_state or 'nothing'} -> {event.to_state}, by {event.actor}"
    sentence = sentences.get((event.from_state, event.to_state), usual)
    return printable(f"{sentence}: {event.detail}" if event.detail else sentence)


def warning(given: Any) -> str:
    """One warning of a job: where in the spec, and what."""
    if isinstance(given, Mapping):
        given = f"{given.get('pointer', '')}: {given.get('message', '')}".removeprefix(": ")
    return printable(str(given))


def waiting(job: Job) -> str | None:
    """Why a queued job is not running yet, as far as the service knows; None for the others."""
    if job.state is not State.QUEUED or not job.waiting:
        return None
    if not isinstance(job.waiting, Mapping):
        return str(job.waiting)
    reason, position = job.waiting.get("reason"), job.waiting.get("position")
    parts = [f"number {position:,} in its queue" if isinstance(position, int) else None, reason, _start(job)]
    return ", ".join(str(part) for part in parts if part) or None


def _start(job: Job) -> str | None:
    """When a queued job starts, as far as the service can tell."""
    said = (job.waiting or {}).get("estimated_start_at")
    if not isinstance(said, str):
        return None
    seconds = (datetime.fromisoformat(said) - datetime.now(UTC)).total_seconds()
    return f"starts in about {duration(seconds)}" if seconds >= 1 else "starts about now"


def gpu(worker: Worker) -> str:
    """How a worker's GPU is: how busy, how hot, how full; a hyphen where there is none."""
    used, whole = worker.memory_used_mib, worker.memory_mib
    parts = [
        f"{worker.utilization_percent:.0f}%" if worker.utilization_percent is not None else None,
        f"{worker.temperature_celsius:.0f} °C" if worker.temperature_celsius is not None else None,
        f"{used / 1024:.1f} of {whole / 1024:.0f} GiB" if used is not None and whole else None,
    ]
    return ", ".join(part for part in parts if part) or "-"


def short_uuid(uuid: str | None) -> str:
    """A GPU's UUID as far as people tell them apart by it, which `--gpus` takes too; a hyphen where there is none."""
    return "-" if not uuid else uuid if len(uuid) <= UUID_LETTERS else f"{uuid[:UUID_LETTERS]}…"


def failure_of(job: Job) -> str:
    """Why it failed: the reason and the message, as far as there are any."""
    return printable(": ".join(part for part in (job.reason, job.message) if part))


def outcome(job: Job) -> str:
    """What came of a job that is over, or where it stands, in one line; empty where there is no more to say."""
    if job.succeeded:
        return job.formula or f"loss {number(job.loss.get('last'))}"
    if job.state is State.FAILED:
        return failure_of(job) or "failed"
    if job.state in (State.RUNNING, State.CANCELLED):
        return f"at step {job.steps_done:,} of {job.steps:,}"
    return waiting(job) or ""


def how_it_was_called() -> str:
    """The command as this terminal can type it again: `gradyard`, or its path where it is not on PATH."""
    called = Path(sys.argv[0])
    if called.name != "gradyard" or shutil.which("gradyard") is not None:
        return "gradyard"
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)


def shape(sizes: Sequence[int]) -> str:
    """The shape of an array: 2,000, or 3 x 16; a single number has none."""
    return " x ".join(f"{size:,}" for size in sizes) or "1"
