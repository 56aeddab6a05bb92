"""Records commands in a terminal, and puts what it showed into docs/live.md.

python -m bench.recordings
"""

import os
import pty
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "live.md"
WIDTH, LINES = 80, 40
CONTROL = re.compile(r"\x1b\[(\?)?([0-9;]*)([A-Za-z])|\x1b[=>]")
WATCH = ["submit", "--stage", "nn", "--set", "steps=120000", "--set", "seed=7", "--wait"]
SWEEP = ["sweep", "--stage", "optim", "--grid", "learning_rate=1e-4,1e-3,1e-2", "--grid", "seed=0:4", "--best", "3"]


def main() -> None:
    """Start a service, record both commands, and write the page."""
    from bench.service import service

    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder, service(folder=Path(folder)) as client:
        environment = os.environ | {"GRADYARD_URL": str(client.base_url), "TERM": "xterm-256color", "NO_COLOR": "1"}
        watch = recorded(WATCH, environment, lambda screen: re.search(r"step [4-9]\d,", screen) is not None)
        sweep = recorded(SWEEP, environment, lambda screen: False)
    text = PAGE.read_text()
    for name, frames in (("watch", watch), ("sweep", sweep)):
        text = _with_block(text, name, frames)
    PAGE.write_text(text)


def recorded(words: Sequence[str], environment: dict[str, str], is_worth: Callable[[str], bool]) -> list[str]:
    """What a terminal shows of the command: the first screen that is worth it, if any is, and the last one."""
    ours, theirs = pty.openpty()
    screen, frames = Screen(), list[str]()
    command = [sys.executable, "-m", "gradyard", *words]
    size = {"COLUMNS": str(WIDTH), "LINES": str(LINES)}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment | size) as process:
        os.close(theirs)
        while data := _read(ours):
            screen.write(data)
            if not frames and is_worth(screen.text()):
                frames.append(screen.text())
        os.close(ours)
    assert process.returncode == 0, screen.text()
    typed = "$ gradyard " + " ".join(words)
    return [f"{typed}\n{frame}" for frame in (*frames, screen.text())]


def _read(terminal: int) -> str:
    time.sleep(0.05)  # a whole frame
    try:
        return os.read(terminal, 2**20).decode(errors="ignore")
    except OSError:  # Linux: the other end is closed
        return ""


class Screen:
    """The lines of a terminal, as far as rich moves its cursor: up, to the left, and with lines cleared."""

    def __init__(self) -> None:
        self._lines, self._row, self._column = [""], 0, 0

    def text(self) -> str:
        """What stands there."""
        return "\n".join(line.rstrip(" \u2800") for line in self._lines).rstrip()

    def write(self, data: str) -> None:
        """Show what a program wrote."""
        begin = 0
        for control in CONTROL.finditer(data):
            self._put(data[begin : control.start()])
            begin = control.end()
            number, letter = control.group(2), control.group(3)
            if letter == "A":
                self._row = max(0, self._row - int(number or 1))
            elif letter == "K":
                self._lines[self._row] = "" if number == "2" else self._lines[self._row][: self._column]
        self._put(data[begin:])

    def _put(self, text: str) -> None:
        for letter in text:
            if letter == "\r":
                self._column = 0
            elif letter == "\n":
                self._row += 1
                self._lines += [""] * (self._row + 1 - len(self._lines))
            else:
                line = self._lines[self._row].ljust(self._column)
                self._lines[self._row] = line[: self._column] + letter + line[self._column + 1 :]
                self._column += 1


def _with_block(page: str, name: str, frames: Sequence[str]) -> str:
    """The page with the recording of that name in the place of the one that it has."""
    blocks = "\n\n".join(f"```\n{frame}\n```" for frame in frames)
    begin, end = f"<!-- recording: {name} -->\n", "<!-- end -->"
    before, _, rest = page.partition(begin)
    assert rest, f"{PAGE.name} has no place for {name}"
    return f"{before}{begin}\n{blocks}\n\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    main()
