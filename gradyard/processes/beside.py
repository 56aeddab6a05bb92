"""A call that nobody must wait for: what hangs in a driver, on a share or at a server holds up no one."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

R = TypeVar("R")


class Beside(Generic[R]):
    """A call on a thread of its own, which begins at once and may go on until the process ends.

    So a thread that is given up can be ended anywhere: call what kill -9 cannot damage either.
    """

    def __init__(self, call: Callable[[], R], name: str) -> None:
        self._call = call
        self._answers: list[R] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def is_over(self, within: float = 0.0) -> bool:
        """Whether it has returned or raised, after so many seconds at most."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def answer(self) -> R:
        """What it has returned. Raises what it has raised. Only to be asked for once it is over."""
        if self._error is not None:
            raise self._error
        return self._answers[0]

    def _run(self) -> None:
        try:
            self._answers.append(self._call())
        except BaseException as error:
            self._error = error
