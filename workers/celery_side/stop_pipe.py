"""How the child of a Celery process learns that it must stop. A broker or a signal would reach it late, or never."""

import os


class StopPipe:
    """A pipe that the main process writes to when it shuts down, made before it forks the child that reads it."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self._requested = False

    def request(self) -> None:
        """In the main process: have the child hand back its jobs and end."""
        os.write(self._write, b"s")

    def requested(self) -> bool:
        """In the child: whether the main process shuts down."""
        if not self._requested:
            try:
                self._requested = bool(os.read(self._read, 1))
            except BlockingIOError:
                return False
        return self._requested
