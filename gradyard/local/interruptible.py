"""Work that takes long and asks for no stop signal, given up when one arrives."""

from collections.abc import Callable

from gradyard.local.errors import StartInterrupted
from gradyard.processes.beside import Beside

LOOK_SECONDS = 0.05


def unless_interrupted(work: Callable[[], object], interrupted: Callable[[], bool]) -> None:
    """Calls `work` in a thread and waits for its end; an error that it raises is raised here.

    Raises StartInterrupted once `interrupted()` is true. The thread then ends with the process, wherever it is: use it
    for work that kill -9 cannot damage either.
    """
    working = Beside(work, "interruptible")
    while not working.has_ended():
        if interrupted():
            raise StartInterrupted("interrupted")
        working.wait(LOOK_SECONDS)
    working.answer()
