"""The promises of the service in seconds and steps, and where a run broke them."""

from collections.abc import Iterator, Mapping

import numpy as np

from tests.faults import host_faults, namesake_faults, transaction_faults
from tests.faults.arena import Done
from tests.faults.bites import HITS, Journal
from tests.faults.figures import Resumes
from tests.faults.job_faults import CANCELS, IN_A_PACK
from tests.faults.rows import start_step

CANCEL = "cancel"
MOST_REDONE_SECONDS = 6.0
ENDS_SECONDS = 45.0  # a worker that was told to stop (F15) ends when Redis answers again, which F6 takes away for 30 s
LIMITS = {  # seconds, for the 99th percentile
    "trains again after F1": 3.0, "claims again after F2": 3.0, "handed back after F15": 2.0,
    "a poisoned pack (F14) ended": 60.0, "a submission is answered while Redis is frozen (F6)": 1.0, CANCEL: 1.0,
    "another's lease (F21) ended": 3.0, "requests answered again after F24": 3.0, "cancelled (F16)": 1.0,
    "a stopped process held SQLite's write lock": 3.0,
}  # fmt: skip


def broken(figures: Mapping[str, list[float]]) -> list[str]:
    """One line for each broken promise of time. `figures` leaves out faults that met other faults."""
    lines = []
    for name, seconds in figures.items():
        limit = next((limit for start, limit in LIMITS.items() if name.startswith(start)), None)
        if limit is not None and seconds and np.quantile(seconds, 0.99) > limit:
            lines.append(f"{name}: p99 {np.quantile(seconds, 0.99):.1f} s, {limit:g} s are promised")
    return lines


def costly_kills(resumes: Resumes) -> list[str]:
    """The broken promise, where a kill cost more seconds of training than a record takes, with some to spare."""
    seconds = resumes.most_seconds_redone
    return [f"a kill cost {seconds:.1f} s of training"] if seconds > MOST_REDONE_SECONDS else []


def missing_cancels(journal: Journal) -> list[str]:
    """One line for each state in which F16 cancelled no job."""
    done = {each.what for each in journal.done if each.fault == "F16"}
    return [f"no job was cancelled in this state: {what}" for what in CANCELS if what not in done]


def wrongs(journal: Journal) -> Iterator[str]:
    """Forbidden consequences: steps redone after a SIGTERM, a pack restarted by a cancel, a worker killed by a bell."""
    yield from _blamed(journal)
    for done in journal.done:
        if done.fault == "F15" and not journal.meets_another(done, HITS):
            yield from _redone(journal, done)
        if done.fault == "F16" and done.what == IN_A_PACK and not journal.meets_another(done, HITS):
            yield from _restarted(journal, done)
        if done.fault == "F23":
            yield from namesake_faults.taken(journal, done)
        if done.fault == "F24":
            yield from host_faults.taken_from_the_living(journal, done)
        if done.fault == "F21":
            yield from transaction_faults.refused_cancels(journal, done)
        if done.fault in ("F11", "F22"):
            yield from (
                f"{done.fault} killed the worker {name}" for name in done.dead if not _was_hit(journal, done, name)
            )


def _blamed(journal: Journal) -> Iterator[str]:
    """One line for each job that was blamed for an error of its supervisor, as which no fault may count."""
    for event in journal.rows.all_events():
        if (event.detail or "").startswith("its supervisor failed"):
            yield f"{event.job_id} was blamed: {event.detail}"


def _redone(journal: Journal, done: Done) -> Iterator[str]:
    for event in journal.cut(done):
        seen, following = (
            journal.watch.seen.get((event.job_id, event.attempt)),
            journal.rows.start_of(str(event.job_id), event.attempt + 1),
        )
        if seen and following and start_step(following) < seen.trained_to:
            yield f"F15: {event.job_id} had trained to step {seen.trained_to}, and {following.detail or 'began anew'}"


def _restarted(journal: Journal, done: Done) -> Iterator[str]:
    for event in journal.cut(done):
        if str(event.job_id) not in done.jobs and event.at < done.until + 1.0:
            yield f"F16: {event.job_id} was {event.to_state} when another of its pack was cancelled: {event.detail}"


def _was_hit(journal: Journal, done: Done, worker: str) -> bool:
    host = worker.partition("@")[2]
    meanwhile = (each for each in journal.done if each.until >= done.at - ENDS_SECONDS and each.at <= done.until)
    return any(each.fault in HITS and each.worker.partition("@")[2] == host for each in meanwhile)
