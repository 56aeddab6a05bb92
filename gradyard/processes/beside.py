"""Calls on threads of their own, which can be given up: a driver, a share or a server may hang."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

R = TypeVar("R")


class Beside(Generic[R]):
    """A call on a thread of its own, which begins at once.

    The thread is a daemon: one that was given up goes on until the call ends, or ends with the process, wherever it is.
    So call only what kill -9 cannot damage either.
    """

    def __init__(self, call: Callable[[], R], name: str) -> None:
        self._call = call
        self._answers: list[R] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def has_ended(self) -> bool:
        """Whether the call has returned or raised."""
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the call, at most so many seconds. Returns whether it has ended."""
        self._thread.join(seconds)
        return self.has_ended()

    def answer(self) -> R:
        """What the call has returned. Raises what it has raised. Only to be asked for once it has ended."""
        if self._error is not None:
            raise self._error
        return self._answers[0]

    def _run(self) -> None:
        try:
            self._answers.append(self._call())
        except BaseException as error:
            self._error = error
