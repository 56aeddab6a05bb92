"""Work that takes long and asks for no stop signal, given up when one arrives."""

import threading
from collections.abc import Callable

from gradyard.local.errors import StartInterrupted

LOOK_SECONDS = 0.05


def unless_interrupted(work: Callable[[], object], interrupted: Callable[[], bool]) -> None:
    """Calls `work` in a thread and waits for its end; an error that it raises is raised here.

    Raises StartInterrupted once `interrupted()` is true. The thread then ends with the process, wherever it is: use it
    for work that kill -9 cannot damage either.
    """
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        if interrupted():
            raise StartInterrupted("interrupted")
        thread.join(LOOK_SECONDS)
    if errors:
        raise errors[0]
