"""A terminal for programs under test."""

import json
import os
import pty
import subprocess
import sys
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


_COMMANDS = """
import json, sys
from gradyard.cli.main import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["gradyard", *command]
    print("@@@", *command, flush=True)
    try:
        main()
    except SystemExit:
        pass
"""


def printed_by_commands(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> dict[str, str]:
    """What each command of gradyard prints on a terminal; they run one after another, in one process."""
    printed = printed_on_a_terminal([sys.executable, "-c", _COMMANDS, json.dumps(commands)], environment)
    parts = printed.split("@@@ ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}
