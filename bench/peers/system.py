"""The interface of each compared system: start it, submit a job, inflict faults, and count begun and completed jobs."""

import signal
import subprocess
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

SLOTS = 2


class System(ABC):
    """One job system with two slots. `tend` acts as its service manager."""

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @abstractmethod
    def start(self) -> None:
        """Start the system. Returns when it accepts jobs."""

    @abstractmethod
    def submit(self, number: int) -> None:
        """Submit one job. Raises an exception where it is not accepted."""

    @abstractmethod
    def slot(self) -> list[psutil.Process]:
        """The processes of one busy slot: the main one first, the training one last. Empty where no slot is busy."""

    @abstractmethod
    def counts(self) -> tuple[Counter[int], Counter[int]]:
        """For each job, how often it was begun, and how often it was completed."""

    @abstractmethod
    def kill_redis(self) -> None:
        """Kill Redis with SIGKILL, and start it again a second later with what it had stored on disk."""

    @abstractmethod
    def flush_redis(self) -> None:
        """Delete everything in Redis with FLUSHALL."""

    @abstractmethod
    def kill_pool(self) -> None:
        """Kill every worker process with SIGKILL."""

    @abstractmethod
    def stop(self) -> None:
        """Stop all processes."""

    def tend(self) -> None:  # noqa: B027 - gradyard needs none
        """Restart each process that has ended."""


def signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    """Send the signal to each process that is still alive."""
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(number)
