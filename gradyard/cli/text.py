"""Numbers, times and events as text for people."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gradyard.jobs.states import State
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import Event, Job, JobWarning, MemberWarnings, Waiting, Worker

UUID_LETTERS = 12

STATE_STYLES = {
    State.QUEUED: "yellow",
    State.RUNNING: "cyan",
    State.SUCCEEDED: "green",
    State.FAILED: "red",
    State.CANCELLED: "magenta",
}


def number(value: float | None) -> str:
    """At most four significant digits; a hyphen for None."""
    return "-" if value is None else f"{value:.4g}"


def count(value: float | None) -> str:
    """A whole number with thousands separators; a hyphen for None."""
    return "-" if value is None else f"{value:,.0f}"


def jobs(number: int) -> str:
    """`1 job`, `2,000 jobs`."""
    return f"{number:,} {'job' if number == 1 else 'jobs'}"


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
    """The time since `moment` in its largest unit: `3 min ago`."""
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


def event_sentence(event: Event) -> str:
    """One event of a job as a sentence; its subject, the job, is left out."""
    attempt = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    sentences: Mapping[tuple[State | None, State], str] = {
        (None, State.QUEUED): f"submitted by {event.actor}",
        (State.QUEUED, State.RUNNING): f"claimed by {event.actor}{attempt}",
        (State.RUNNING, State.QUEUED): f"returned to the queue by {event.actor}",
        (State.RUNNING, State.SUCCEEDED): f"succeeded on {event.actor}",
        (State.RUNNING, State.FAILED): f"failed on {event.actor}",
        (State.QUEUED, State.CANCELLED): f"cancelled by {event.actor}",
        (State.RUNNING, State.CANCELLED): f"cancelled by {event.actor}",
    }
    usual = f"{event.from_state or 'nothing'} -> {event.to_state}, by {event.actor}"
    sentence = sentences.get((event.from_state, event.to_state), usual)
    return one_line(f"{sentence}: {event.detail}" if event.detail else sentence)


def warning(given: JobWarning | MemberWarnings) -> str:
    """One warning of a job or of a batch's jobs: the place in the spec, and the message."""
    return one_line(f"{given['pointer']}: {given['message']}".removeprefix(": "))


def recheck(job: Job) -> str:
    """What the recheck of a job has shown, from the side of this one; empty where it is none and has none."""
    if not job.recheck:
        return ""
    other = f"of {job.recheck['of']}" if job.recheck_of else f"by {job.recheck['job']}"
    return one_line(f"{other}, {job.recheck['state']}: {job.recheck['message']}")


def waiting(job: Job) -> str | None:
    """Why a queued job does not run yet; None for other jobs."""
    if job.state is not State.QUEUED or not job.waiting:
        return None
    position = job.waiting["position"]
    place = None if position is None else f"number {position:,} in its queue"
    return ", ".join(part for part in (place, job.waiting["reason"], _start(job.waiting)) if part)


def _start(waiting: Waiting) -> str | None:
    """The estimated start of a queued job; None without an estimate."""
    start = waiting["estimated_start_at"]
    if start is None:
        return None
    seconds = (start - datetime.now(UTC)).total_seconds()
    return f"starts in about {duration(seconds)}" if seconds >= 1 else "starts about now"


def load(worker: Worker) -> str:
    """Utilization, temperature and memory of a worker's GPU, or of its processes; a hyphen where none is known."""
    used, whole = worker.memory_used_mib, worker.memory_mib
    parts = [
        f"{worker.utilization_percent:.0f}%" if worker.utilization_percent is not None else None,
        f"{worker.temperature_celsius:.0f} °C" if worker.temperature_celsius is not None else None,
        f"{used / 1024:.1f}{f' of {whole / 1024:.0f}' if whole else ''} GiB" if used is not None else None,
    ]
    return ", ".join(part for part in parts if part) or "-"


def short_uuid(uuid: str | None) -> str:
    """The first letters of a GPU's UUID, which `--gpus` accepts as well; a hyphen without a GPU."""
    return "-" if not uuid else uuid if len(uuid) <= UUID_LETTERS else f"{uuid[:UUID_LETTERS]}…"


def failure_of(job: Job) -> str:
    """The reason and the message of a failed job."""
    return one_line(": ".join(part for part in (job.reason, job.message) if part))


def outcome(job: Job) -> str:
    """The result of a finished job, or the progress of another one, in one line; empty without either."""
    if job.succeeded:
        return job.formula or f"loss {number(job.loss.get('last'))}"
    if job.state is State.FAILED:
        return failure_of(job) or "failed"
    if job.state in (State.RUNNING, State.CANCELLED):
        return f"at step {job.steps_done:,} of {job.steps:,}"
    return waiting(job) or ""


def why_no_losses(job: Job) -> str:
    """Why a job has no loss to show: it waits for its first step, or ended before it."""
    if not job.finished:
        return "no losses yet"
    if job.state is State.CANCELLED:
        return "no losses: it was cancelled before its first step"
    return f"no losses: it failed ({failure_of(job)})" if job.state is State.FAILED else "no losses"


def command_as_called() -> str:
    """The command as the user can type it again: `gradyard`, or its path if it is not on PATH."""
    called = Path(sys.argv[0])
    if called.name != "gradyard" or shutil.which("gradyard") is not None:
        return "gradyard"
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)


def shape(sizes: Sequence[int]) -> str:
    """The shape of an array: `2,000`, `3 x 16`, or `1` for a single number."""
    return " x ".join(f"{size:,}" for size in sizes) or "1"


def figure(name: str) -> str:
    """A figure of a job as people call it: `last loss`; a metric by its name, where it is that of the final weights."""
    if name.startswith("metrics."):
        return name.removeprefix("metrics.").removesuffix(".last")
    words = name.split("_")
    return " ".join(reversed(words) if words[0] == "loss" else words)
