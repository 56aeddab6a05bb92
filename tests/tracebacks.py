"""Errors that our own processes did not expect: each leaves a traceback in a log."""

from pathlib import Path

BEGINS = "Traceback (most recent call last):"


def unexpected_errors(folder: Path) -> list[str]:
    """Of each traceback in a log below the folder: the log, the line before it, and the error."""
    found = []
    for log in sorted(folder.rglob("*.log*")):
        lines = log.read_text(errors="replace").splitlines()
        for number, line in enumerate(lines):
            if BEGINS in line:
                before = lines[number - 1] if number else ""
                error = next((each for each in lines[number + 1 :] if each and not each.startswith(" ")), "")
                found.append(f"{log.relative_to(folder)}: {before[:200]}: {error[:200]}")
    return found
