"""Where a job's time went, from its submission to its result, as parts of a bar."""

from typing import NamedTuple

from gradyard import shapes

SMALLEST = 0.2  # percent, that a part may be seen at all


class Part(NamedTuple):
    """A part of the time: what it is, its seconds, and where it stands in the bar, in percent."""

    kind: str
    words: str
    seconds: float
    begin: float
    width: float


def time_spent(job: shapes.Job) -> list[Part]:
    """The parts: waited, prepared, trained, and the rest (waits between attempts, storing). Empty before it ends."""
    if not job.result or job.finished_at is None or job.submitted_at is None:
        return []
    timings = job.result["timings"]
    seconds = {
        "waited": timings["queued_seconds"], "prepared": timings["setup_seconds"], "trained": timings["train_seconds"],
    }  # fmt: skip
    whole = max((job.finished_at - job.submitted_at).total_seconds(), sum(seconds.values()), 1e-9)
    seconds["stored"] = whole - sum(seconds.values())
    parts, begin = list[Part](), 0.0
    for kind, spent in seconds.items():
        width = 100 * spent / whole
        parts.append(Part(kind, WORDS[kind], spent, begin, max(SMALLEST, width)))
        begin += width
    return parts


WORDS = {
    "waited": "waited in the queue", "prepared": "prepared", "trained": "trained",
    "stored": "rest: messages, storing, waits between attempts",
}  # fmt: skip
