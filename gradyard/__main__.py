"""The `gradyard` command, also as `python -m gradyard`. It loads nothing before Ctrl-C has a meaning."""

import os
import signal
from typing import Any, NoReturn

INTERRUPTED = 130


def main() -> None:
    """Runs the command line and exits. Ctrl-C leaves no traceback, also while modules load and while Python ends."""
    _on_ctrl_c(_end)
    from gradyard.processes.loading import load

    run = load("gradyard.cli.main").main
    try:
        _on_ctrl_c(signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        _end()
    finally:
        _on_ctrl_c(signal.SIG_IGN)  # a few milliseconds are left, and the exit status is known


def _end(*_: object) -> NoReturn:
    os._exit(INTERRUPTED)


def _on_ctrl_c(handler: Any) -> None:
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # a script that runs it in the background ignores Ctrl-C
        signal.signal(signal.SIGINT, handler)


if __name__ == "__main__":
    main()
