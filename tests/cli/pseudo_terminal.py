"""A terminal for programs under test."""

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence


def printed_on_a_terminal(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What the program prints on a terminal, stdout and stderr. It must end with status 0."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        printed = b""
        try:
            while part := os.read(ours, 65536):
                printed += part
        except OSError:  # Linux: the other end is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    return printed.decode().replace("\r\n", "\n")
