"""How the child of a Celery process hears that it shall stop: no broker and no signal, which reach it late or never."""

import os


class Stopping:
    """A pipe that the main process writes to when it shuts down, made before the child that reads it is forked."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self._asked = False

    def ask(self) -> None:
        """In the main process: the child shall hand back what it trains."""
        os.write(self._write, b"s")

    def asked(self) -> bool:
        """In the child: whether the main process shuts down."""
        if not self._asked:
            try:
                self._asked = bool(os.read(self._read, 1))
            except BlockingIOError:
                return False
        return self._asked
