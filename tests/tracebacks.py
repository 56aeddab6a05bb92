"""Errors that our own processes did not expect: each leaves a traceback in a log."""

import re
from pathlib import Path

BEGINS = "Traceback (most recent call last):"
RECORD = re.compile(r'\[?\d{4}-\d\d-\d\d[ T]|\{"|request ')
"""How the first line of a record begins, in the forms of Celery, of our processes and of the API."""
OF_CELERY = "/MainProcess]"
"""Celery's main process tells so of strangers' messages, and of a child that a test has killed: nothing of ours runs
in it but what is logged otherwise."""


def unexpected_errors(folder: Path) -> list[str]:
    """Of each record with a traceback in a log below the folder: the log, the record's first line, and the error."""
    found: dict[tuple[Path, int], str] = {}
    for log in sorted(folder.rglob("*.log*")):
        lines, first = log.read_text(errors="replace").splitlines(), 0
        for number, line in enumerate(lines):
            first = number if RECORD.match(line) else first
            if BEGINS in line and OF_CELERY not in lines[first]:
                error = next((each for each in lines[number + 1 :] if each and not each.startswith(" ")), "")
                found.setdefault((log, first), f"{log.relative_to(folder)}: {lines[first][:200]}: {error[:200]}")
    return list(found.values())
