"""What the service's processes use while it is hurt: memory and file handles, and what is left in the end."""

import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import psutil

from tests.stack.faults.fleet import Fleet, command_of

LOOK_SECONDS = 30.0
KINDS = {"gunicorn": "API", "workers.runner": "runners", "celery": "workers", "workers.maintenance": "maintenance"}


@dataclass(frozen=True)
class Sample:
    """Memory (MiB) and open file handles of all processes of one kind, the greatest of each."""

    at: float
    mebibytes: float
    handles: int


class Usage:
    """`look()` as often as you like; it measures every half minute."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._looked_at = 0.0
        self.samples: dict[str, list[Sample]] = defaultdict(list)

    def look(self) -> None:
        """Measure, if it is time."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        greatest: dict[str, Sample] = {}
        for process in self._fleet.processes():
            kind, sample = _measure(process, now)
            if kind and sample and sample.mebibytes > greatest.get(kind, Sample(0, 0, 0)).mebibytes:
                greatest[kind] = sample
        for kind, sample in greatest.items():
            self.samples[kind].append(sample)

    def after_rest(self) -> None:
        """A last look, at a service with nothing to do."""
        self._looked_at = 0.0
        self.look()

    def lines(self) -> list[str]:
        """Per kind of process: memory and handles in the first and in the last third of the run."""
        said = []
        for kind, samples in sorted(self.samples.items()):
            third = max(1, len(samples) // 3)
            first, last = samples[:third], samples[-third:]
            memory = [np.median([each.mebibytes for each in part]) for part in (first, last)]
            handles = [int(np.median([each.handles for each in part])) for part in (first, last)]
            said.append(f"{kind}: {memory[0]:.0f} -> {memory[1]:.0f} MiB, {handles[0]} -> {handles[1]} handles")
        return said

    def left_behind(self) -> list[str]:
        """Processes and temporary files that are still there after the service was stopped."""
        left = [
            f"process {each.pid} still lives: {' '.join(command_of(each))[:120]}" for each in self._fleet.processes()
        ]
        for path in self._fleet.scratch.rglob("*"):
            if path.is_file() and path.suffix not in (".lock", ".restarted"):  # a slot's own two stay
                left.append(f"{path} was left behind")
        return left


def _measure(process: psutil.Process, now: float) -> tuple[str | None, Sample | None]:
    words = " ".join(command_of(process))
    kind = next((kind for word, kind in KINDS.items() if word in words and "tether.py" not in words), None)
    try:
        return kind, Sample(now, process.memory_info().rss / 2**20, process.num_fds())
    except psutil.Error:
        return kind, None
