"""The same few verbs for each system: start, submit a job, hurt a part, say what was begun and what was done."""

import signal
import subprocess
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

SLOTS = 2


class System(ABC):
    """One job system with two slots; a service manager (`tend`) starts again what has ended."""

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @abstractmethod
    def start(self) -> None:
        """Start it; return when it takes jobs."""

    @abstractmethod
    def submit(self, number: int) -> None:
        """Submit one job; raises where nobody takes it."""

    @abstractmethod
    def slot(self) -> list[psutil.Process]:
        """The processes of one busy slot, main first and the training one last; empty where none is busy."""

    @abstractmethod
    def counts(self) -> tuple[Counter[int], Counter[int]]:
        """By job: how often it was begun, and how often it was completed."""

    @abstractmethod
    def kill_redis(self) -> None:
        """kill -9 Redis, and start it again a second later, with what it had stored."""

    @abstractmethod
    def flush_redis(self) -> None:
        """FLUSHALL."""

    @abstractmethod
    def kill_pool(self) -> None:
        """kill -9 of every worker process."""

    @abstractmethod
    def stop(self) -> None:
        """End everything."""

    def tend(self) -> None:  # noqa: B027 - gradyard needs none
        """Start again what has ended."""


def signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    """The same signal to each that still lives."""
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(number)
