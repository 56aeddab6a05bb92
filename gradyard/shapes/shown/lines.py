"""An answer as one line, for a prompt, a log or a list."""

from collections.abc import Iterator
from typing import Any

from gradyard.jobs.states import FINISHED, State
from gradyard.jobs.visible_text import one_line
from gradyard.shapes.base import Answer
from gradyard.shapes.batches import BatchSummary
from gradyard.shapes.jobs import Job

ID_LETTERS = 18  # of a UUIDv7: its time, to less than a microsecond; the service finds a job by them
NAME_LETTERS = 40
MOST_FIELDS = 5
UNSHOWN = {"key", "secret"}  # which a saved notebook would keep


def line_of(answer: Answer) -> str:
    """`<Job 0199c0de-0000-7000 optim succeeded, 2,000 steps, loss 3.2>`; never a secret."""
    if isinstance(answer, Job):
        told = ", ".join([f"{short(answer.id)} {_titled(answer.stage, answer.name)} {answer.state}", *facts(answer)])
    elif isinstance(answer, BatchSummary):
        told = f"{_titled(short(answer.id), answer.name)} {answer.state}, {progress(answer)}"
    else:
        told = " ".join(_fields(answer))
    return f"<{' '.join([type(answer).__name__, told]).rstrip()}>"


def short(identifier: str) -> str:
    """The beginning of an id, which the service understands as the whole."""
    return one_line(identifier[:ID_LETTERS])


def cut(text: str, most: int = NAME_LETTERS) -> str:
    """At most so many letters of a text of others, in one line, without control characters."""
    line = one_line(text)
    return line if len(line) <= most else line[: most - 1] + "…"


def number(value: float | None) -> str:
    """At most four significant digits; a hyphen for None."""
    return "-" if value is None else f"{value:.4g}"


def facts(job: Job) -> Iterator[str]:
    """How far a job is, its last loss, and why it failed."""
    whole = job.succeeded and job.steps_done == job.steps
    yield f"{job.steps:,} steps" if whole else f"{job.steps_done:,} of {job.steps:,} steps"
    if job.loss.get("last") is not None:
        yield f"loss {number(job.loss['last'])}"
    if job.state is State.FAILED:
        yield cut(": ".join(part for part in (job.reason, job.message) if part), 2 * NAME_LETTERS)
    elif job.state is State.QUEUED and job.waiting:
        yield cut(job.waiting["reason"], 2 * NAME_LETTERS)


def progress(batch: BatchSummary) -> str:
    """How many jobs of a batch are finished, and how they ended."""
    counts = {State(name): count for name, count in batch.counts.items() if name in set(State)}
    finished = sum(counts.get(state, 0) for state in FINISHED)
    ended = [f"{counts[state]:,} {state}" for state in State if state in FINISHED and counts.get(state)]
    how = f" ({', '.join(ended)})" if ended else ""
    return f"{finished:,} of {batch.size:,} jobs finished{how}"


def _titled(what: str, name: str | None) -> str:
    return f"{one_line(what)} {cut(name)!r}" if name else one_line(what)


def _fields(answer: Answer) -> Iterator[str]:
    """The first fields that say something, until there are a few."""
    told = 0
    for name, value in answer:
        if name in UNSHOWN or value is None or value in ("", (), [], {}):
            continue
        if told == MOST_FIELDS:
            yield "…"
            return
        yield f"{name}={_value(value)}"
        told += 1


def _value(value: Any) -> str:
    if isinstance(value, str):
        return repr(cut(str(value)))
    if isinstance(value, tuple | list | dict):
        return f"[{len(value):,}]" if not isinstance(value, dict) else f"{{{len(value):,}}}"
    return cut(str(value))
