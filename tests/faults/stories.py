"""What else happened while the service was slower than it promises: to find out why."""

from collections.abc import Iterator

from tests.faults.arena import Done
from tests.faults.bites import Journal
from tests.faults.figures import cancels, submissions_without_redis
from tests.faults.promises import CANCEL, LIMITS

MOST = 3  # requests that are told of, the slowest first
AROUND_SECONDS = 3.0


def stories(journal: Journal) -> list[str]:
    """A few lines for each recovery and each request that took longer than promised."""
    return [*late_recoveries(journal), *slow_requests(journal)]


def late_recoveries(journal: Journal) -> Iterator[str]:
    """For each kill with a recovery over the limit, the events of its slot and the faults meanwhile, with times."""
    for fault in ("F1", "F2"):
        for done, what, seconds in journal.recoveries(fault):
            limit = LIMITS.get(f"{what} again after {fault}")
            if limit is not None and seconds > limit:
                yield f"{fault} ({done.what}) of {done.worker}: {what} again after {seconds:.1f} s; meanwhile"
                for each in journal.of_slot(done.worker):
                    if 0 < each.at - done.at < seconds + 1:
                        detail = f"{each.job_id} attempt {each.attempt} is {each.to_state} {each.detail or ''}"
                        yield f"  {each.at - done.at:+.2f} s: {detail}"
                yield from _faults(journal.done, done.at, done.at + seconds, done.at)


def slow_requests(journal: Journal) -> Iterator[str]:
    """The slowest cancels and submissions of those that are measured, and the faults at that time."""
    slow = [asked for asked in cancels(journal) + submissions_without_redis(journal) if asked.seconds > LIMITS[CANCEL]]
    for asked in sorted(slow, key=lambda each: -each.seconds)[:MOST]:
        yield f"{asked.method} {asked.path} took {asked.seconds:.1f} s from {asked.at:.2f}; meanwhile"
        yield from _faults(journal.done, asked.at - AROUND_SECONDS, asked.at + asked.seconds, asked.at)


def _faults(done: list[Done], begin: float, end: float, zero: float) -> Iterator[str]:
    for each in done:
        if each.until > begin and each.at < end:
            yield f"  {each.at - zero:+.2f} to {each.until - zero:+.2f} s: {each.fault} {each.what} {each.worker}"
