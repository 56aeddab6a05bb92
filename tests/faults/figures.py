"""The measurements of a run: how fast the service recovers, cancels and hands back, and what a cut costs (seconds)."""

import re
from dataclasses import dataclass

from tests.faults.arena import Done
from tests.faults.bites import DATABASE_AWAY, HITS, LATE_SECONDS, STOPPED_WRITER, Journal, is_of
from tests.faults.client import Asked
from tests.faults.host_faults import API_KILLED
from tests.faults.rows import start_step
from tests.faults.stopped_writers import seconds_held
from tests.faults.transaction_faults import late_leases

KILLS = ("F1", "F2")
RECORD_SECONDS = 5.0  # between two records, by default
NO_ANSWER = ("F3", "F7", "F13", "F22", STOPPED_WRITER, API_KILLED)  # of the API, or of the database to it
KILL_SECONDS = 0.2  # until a process that F24 chooses is dead


@dataclass(frozen=True)
class Resumes:
    """How many attempts were cut after their first record, how many resumed from it, and what was trained twice."""

    cut: int
    resumed: int
    steps_redone: int  # an estimate
    most_seconds_redone: float  # of attempts whose runner or worker was killed while the database answered


def resumes(journal: Journal, spoiled: set[str]) -> Resumes:
    """Count resumed attempts of all jobs, except those whose checkpoints a fault spoiled."""
    rows, cut, resumed = journal.rows, 0, 0
    lost = [each for done in journal.done if done.fault in KILLS for each in _unrecorded(journal, done)]
    for (job, attempt), seen in journal.watch.seen.copy().items():  # its thread still adds to it
        following = rows.start_of(str(job), attempt + 1)
        if following is None or seen.recorded_to == 0 or str(job) in spoiled:
            continue
        cut += 1
        resumed += start_step(following) > 0
    seconds = max((seconds for seconds, _ in lost), default=0.0)
    return Resumes(cut, resumed, sum(steps for _, steps in lost), seconds)


def _unrecorded(journal: Journal, done: Done) -> list[tuple[float, int]]:
    """How long each killed attempt trained after its last record or its first step: seconds, and steps (an estimate).

    Left out: attempts while the database did not answer, since they could not record until the next record was due.
    """
    late = LATE_SECONDS + RECORD_SECONDS
    away = [(each.at, each.until + late) for each in journal.done if is_of(each, DATABASE_AWAY)]
    unrecorded = []
    for event in journal.cut(done):
        seen = journal.watch.seen.get((event.job_id, event.attempt))
        if seen and not any(seen.recorded_at < end and done.at > begin for begin, end in away):
            seconds = max(0.0, done.at - max(seen.recorded_at, seen.trained_not_before(done.at)))
            unrecorded.append((seconds, int(seconds * (seen.steps_per_second or 0.0))))
    return unrecorded


def fenced_writes(logs: list[str]) -> int:
    """How often a late write of a worker was refused, since another attempt had the job. Counted in the logs."""
    return sum(len(re.findall(r"\bfenced\b", text)) for text in logs)


def cancels(journal: Journal) -> list[Asked]:
    """Each answered cancel. Left out: cancels while the API or the database did not answer."""
    answered = (asked for asked in journal.log.asked if asked.path.endswith("/cancel") and asked.status == 200)
    return [asked for asked in answered if not _met_absence(asked, journal.done)]


def cancels_by_state(journal: Journal) -> dict[str, list[float]]:
    """The seconds of each of these cancels, by the state of the job."""
    by_job = {job: done.what for done in journal.done if done.fault == "F16" for job in done.jobs}
    seconds: dict[str, list[float]] = {}
    for asked in cancels(journal):
        if what := by_job.get(str(asked.job_id)):
            seconds.setdefault(f"cancelled (F16) {what}", []).append(asked.seconds)
    return seconds


def seconds_of(requests: list[Asked]) -> list[float]:
    """What each request took."""
    return [asked.seconds for asked in requests]


def _met_absence(asked: Asked, done: list[Done]) -> bool:
    """Whether the API or the database did not answer during this request."""
    away = (each for each in done if is_of(each, NO_ANSWER))
    return any(asked.at < each.until + LATE_SECONDS and asked.at + asked.seconds > each.at for each in away)


def hand_back_seconds(journal: Journal) -> list[float]:
    """The seconds from each SIGTERM to a worker until the last of its jobs was queued again."""
    stops = (done for done in journal.done if done.fault == "F15" and not journal.meets_another(done))
    cuts = [(done.at, journal.cut(done)) for done in stops]
    return [max(event.at for event in events) - at for at, events in cuts if events]


def poison_seconds(journal: Journal) -> dict[str, list[float]]:
    """The seconds from the submission of each pack with a job that kills its runner until all its jobs have ended.

    Packs during which another fault hit workers or the database are listed separately.
    """
    times: dict[str, list[float]] = {}
    for done in (each for each in journal.done if each.fault == "F14"):
        hurt = any(is_of(each, HITS) and each.at < done.until and each.until > done.at for each in journal.done)
        name = "a poisoned pack that met other faults (F14) ended" if hurt else "a poisoned pack (F14) ended"
        times.setdefault(name, []).append(done.until - done.at)
    return times


def submissions_without_redis(journal: Journal) -> list[Asked]:
    """Each submission while Redis was frozen, and API and database answered."""
    frozen = [(done.at, done.until) for done in journal.done if done.fault == "F6"]
    posts = [asked for asked in journal.log.asked if asked.path == "/v1/jobs" and asked.status == 202]
    while_frozen = (asked for asked in posts if any(begin <= asked.at < end for begin, end in frozen))
    return [asked for asked in while_frozen if not _met_absence(asked, journal.done)]


def answers_after_api_killed(journal: Journal) -> list[float]:
    """The seconds from each death of a worker process of the API until a request that began after it was answered."""
    killed = [done.at for done in journal.done if done.what == API_KILLED and not journal.meets_another(done, ("F3",))]
    answered = [asked for asked in journal.log.asked if asked.status is not None]
    after = ([each.at + each.seconds - at for each in answered if each.at > at + KILL_SECONDS] for at in killed)
    return [min(seconds) for seconds in after if seconds]


def figures(journal: Journal) -> dict[str, list[float]]:
    """All measured times in seconds, by what was measured."""
    recoveries = journal.recovery_seconds("F1") | journal.recovery_seconds("F2")
    return recoveries | cancels_by_state(journal) | poison_seconds(journal) | {
        "another's lease (F21) ended": late_leases(journal),
        "requests answered again after F24 (API)": answers_after_api_killed(journal),
        "handed back after F15": hand_back_seconds(journal),
        "a stopped process held SQLite's write lock": seconds_held(journal),
        "a submission is answered while Redis is frozen (F6)": seconds_of(submissions_without_redis(journal)),
    }  # fmt: skip
