"""What a run measured: how fast the service recovers, cancels, hands back, and what a cut costs. Times in seconds."""

import re
from dataclasses import dataclass

import numpy as np

from tests.faults.arena import Done
from tests.faults.bites import DATABASE_AWAY, HITS, LATE_SECONDS, Journal
from tests.faults.client import Asked, RequestLog
from tests.faults.rows import start_step

KILLS = ("F1", "F2")
RECORD_SECONDS = 5.0  # between two records, by default


@dataclass(frozen=True)
class Resumes:
    """Of attempts that were cut after their first record, how many went on from it, and what was trained twice."""

    cut: int
    resumed: int
    steps_redone: int  # about
    most_seconds_redone: float  # of attempts whose runner or worker was killed while the database was there


def resumes(journal: Journal, spoiled: set[str]) -> Resumes:
    """Of all jobs but those whose checkpoints were spoiled on purpose."""
    rows, cut, resumed = journal.rows, 0, 0
    lost = [each for done in journal.done if done.fault in KILLS for each in _unrecorded(journal, done)]
    for (job, attempt), seen in list(journal.watch.seen.items()):  # it may still grow
        following = rows.start_of(str(job), attempt + 1)
        if following is None or seen.recorded_to == 0 or str(job) in spoiled:
            continue
        cut += 1
        resumed += start_step(following) > 0
    seconds = max((seconds for seconds, _ in lost), default=0.0)
    return Resumes(cut, resumed, sum(steps for _, steps in lost), seconds)


def _unrecorded(journal: Journal, done: Done) -> list[tuple[float, int]]:
    """How long the attempts that were killed had trained since their last record or begin: seconds, steps (about).

    Without those that met a database that was away: what it would not take, nobody could record before the next record
    was due.
    """
    late = LATE_SECONDS + RECORD_SECONDS
    away = [(each.at, each.until + late) for each in journal.done if each.fault in DATABASE_AWAY]
    found = []
    for event in journal.cut(done):
        seen = journal.watch.seen.get((event.job_id, event.attempt))
        if seen and not any(seen.recorded_at < end and done.at > begin for begin, end in away):
            seconds = max(0.0, done.at - seen.recorded_at)
            found.append((seconds, int(seconds * (seen.steps_per_second or 0.0))))
    return found


def fenced_writes(logs: list[str]) -> int:
    """How often a worker was told that a job is no longer its own."""
    return sum(len(re.findall(r"\bfenced\b", text)) for text in logs)


def cancel_seconds(log: RequestLog, done: list[Done]) -> np.ndarray:
    """How long each answered cancel took, seconds; without those that met an API or a database that was away."""
    cancels = [asked for asked in log.asked if asked.path.endswith("/cancel") and asked.status == 200]
    return np.array([asked.seconds for asked in cancels if not _had_nobody_to_ask(asked, done)])


def cancels_by_state(journal: Journal) -> dict[str, list[float]]:
    """The same, by the state that the job was in."""
    by_job = {job: done.what for done in journal.done if done.fault == "F16" for job in done.jobs}
    found: dict[str, list[float]] = {}
    for asked in journal.log.asked:
        what = by_job.get(str(asked.job_id)) if asked.path.endswith("/cancel") and asked.status == 200 else None
        if what and not _had_nobody_to_ask(asked, journal.done):
            found.setdefault(f"cancelled (F16) {what}", []).append(asked.seconds)
    return found


def _had_nobody_to_ask(asked: Asked, done: list[Done]) -> bool:
    """Whether API or database were away while the request was on its way."""
    away = (each for each in done if each.fault in ("F3", "F7", "F13"))
    return any(asked.at < each.until + LATE_SECONDS and asked.at + asked.seconds > each.at for each in away)


def hand_back_seconds(journal: Journal) -> list[float]:
    """From each SIGTERM to a worker until the last of its jobs was queued again."""
    stops = (done for done in journal.done if done.fault == "F15" and not journal.meets_another(done))
    cuts = [(done.at, journal.cut(done)) for done in stops]
    return [max(event.at for event in events) - at for at, events in cuts if events]


def poison_seconds(journal: Journal) -> dict[str, list[float]]:
    """From the submission of each pack with a member that kills its runner until all of it was over.

    Those during which workers or the database were hurt by something else stand by themselves.
    """
    found: dict[str, list[float]] = {}
    for done in (each for each in journal.done if each.fault == "F14"):
        hurt = any(each.fault in HITS and each.at < done.until and each.until > done.at for each in journal.done)
        name = "a poisoned pack that met other faults (F14) is over" if hurt else "a poisoned pack (F14) is over"
        found.setdefault(name, []).append(done.until - done.at)
    return found


def answers_without_redis(journal: Journal) -> list[float]:
    """How long the API took to answer submissions while Redis was frozen, and nothing else was away."""
    frozen = [(done.at, done.until) for done in journal.done if done.fault == "F6"]
    posts = [asked for asked in journal.log.asked if asked.path == "/v1/jobs" and asked.status == 202]
    while_frozen = (asked for asked in posts if any(begin <= asked.at < end for begin, end in frozen))
    return [asked.seconds for asked in while_frozen if not _had_nobody_to_ask(asked, journal.done)]


def figures(journal: Journal) -> dict[str, list[float]]:
    """Every list of seconds that there is, by what it is of."""
    found = journal.recovery_seconds("F1") | journal.recovery_seconds("F2")
    return found | cancels_by_state(journal) | poison_seconds(journal) | {
        "handed back after F15": hand_back_seconds(journal),
        "a submission is answered while Redis is frozen (F6)": answers_without_redis(journal),
    }  # fmt: skip
