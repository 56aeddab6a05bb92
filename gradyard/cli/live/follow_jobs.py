"""Follows several jobs until they are finished, over one stream; where there is none, it asks again and again."""

import queue
import threading
import time
from collections.abc import Callable, Sequence

from rich.console import Console

from gradyard.cli.live.follow_job import after
from gradyard.cli.progress import Bars, Lines
from gradyard.client.client import Client
from gradyard.shapes import Job

OF_ONE_STREAM = 64  # jobs
BETWEEN_LOOKS_SECONDS = 0.05
SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.1, 1.0  # where there are no streams
POINTS = 2  # of a curve, which is not shown

BetweenLooks = Callable[[], None]
Shown = Bars | Lines
Told = queue.SimpleQueue[tuple[int, Job] | None]


def follow_jobs(
    client: Client, jobs: list[Job], console: Console, between_looks: BetweenLooks = lambda: None
) -> None:  # fmt: skip
    """Shows the progress of `jobs` until all are finished, and keeps the list up to date.

    between_looks: called a few times a second; an exception that it raises ends the call.
    """
    shown: Shown = Bars(console) if console.is_interactive else Lines(console)
    with shown:
        for job in jobs:
            shown.show(job)
        for first in range(0, len(jobs), OF_ONE_STREAM):
            _stream(client, jobs, range(first, min(first + OF_ONE_STREAM, len(jobs))), shown, between_looks)
        began = time.monotonic()
        while not all(job.finished for job in jobs):
            _ask_once(client, jobs, shown, between_looks, range(len(jobs)))
            _pause(began, between_looks)


def _stream(client: Client, jobs: list[Job], those: range, shown: Shown, between_looks: BetweenLooks) -> None:
    """Follows some of the jobs over a stream, until they are finished or the stream cannot go on."""
    told: Told = queue.SimpleQueue()
    threading.Thread(target=_tell, args=(client, list(jobs), those, told), name="stream", daemon=True).start()
    ask_at = time.monotonic() + LONGEST_LOOK_SECONDS
    while not all(jobs[index].finished for index in those):
        between_looks()
        try:
            news = told.get(timeout=BETWEEN_LOOKS_SECONDS)
        except queue.Empty:
            if time.monotonic() >= ask_at:  # it told nothing yet: an older version may answer, or none at all
                _ask_once(client, jobs, shown, between_looks, those)
                ask_at = time.monotonic() + LONGEST_LOOK_SECONDS
            continue
        if news is None:
            return
        ask_at, (index, job) = float("inf"), news
        if not jobs[index].finished:
            jobs[index] = job
            shown.show(job)


def _tell(client: Client, jobs: list[Job], those: Sequence[int], told: Told) -> None:
    """Puts each job as it is after each event, and at last None. In a thread: a stream waits as long as it likes."""
    places = {jobs[index].id: index for index in those if not jobs[index].finished}
    try:
        for event in client.watch_jobs(places, points=POINTS) if places else ():
            index = places[event.id if isinstance(event, Job) else event.job]
            jobs[index] = after(client, jobs[index], event)
            told.put((index, jobs[index]))
    except Exception:  # no place is free for a stream, or the client was closed: who asks for each is told
        return
    finally:
        told.put(None)


def _ask_once(
    client: Client, jobs: list[Job], shown: Shown, between_looks: BetweenLooks, those: Sequence[int]
) -> None:  # fmt: skip
    for index in those:
        between_looks()
        if not jobs[index].finished:
            jobs[index] = client.job(jobs[index].id)
            shown.show(jobs[index])


def _pause(began: float, between_looks: BetweenLooks) -> None:
    """Waits 0.1 s at first, since most jobs are short, and up to 1 s later."""
    look_at = time.monotonic() + min(LONGEST_LOOK_SECONDS, max(SHORTEST_LOOK_SECONDS, (time.monotonic() - began) / 20))
    while time.monotonic() < look_at:
        between_looks()
        time.sleep(BETWEEN_LOOKS_SECONDS)
