"""Writes down where the tests of widths passed: a numerics class says "width-independent" of nothing else.

The tests may run in several processes, so each case that passes is noted, and the record is written when no case is
missing. A failure forgets all that were noted, and takes that torch and GPU off the record.
"""

import fcntl
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

CHANGES_TOLD: list[str] = []
"""What this test process changed in the package's record, in words, to be shown at its end."""


def digest_of(*places: Path) -> str:
    """Of the Python files there: what passed with other code does not count."""
    files = sorted(each for place in places for each in ([place] if place.is_file() else place.rglob("*.py")))
    return sha256(b"".join(each.read_bytes() for each in files)).hexdigest()


class WidthRecord:
    """The record in the file `proven` of one torch on one GPU (`here`), as cases out of `wanted` pass or fail.

    `notes` is a file in which the test processes of one machine gather the cases that passed with this `code`;
    `tell` is given each change of the record in words.
    """

    def __init__(
        self, wanted: Collection[str], here: Mapping[str, str], proven: Path, notes: Path, *,
        code: str, tell: Callable[[str], object],
    ) -> None:  # fmt: skip
        self._wanted, self._here, self._proven, self._notes = frozenset(wanted), dict(here), proven, notes
        self._of, self._tell = self._here | {"code": code}, tell

    @contextmanager
    def case(self, name: str) -> Iterator[None]:
        """Around all that shows one case. KeyError where it is not among those wanted."""
        if name not in self._wanted:
            raise KeyError(name)
        try:
            yield
        except Exception:
            self._note(set(), name)
            raise
        self._note({name}, name)

    def _note(self, passed: set[str], name: str) -> None:
        self._notes.parent.mkdir(parents=True, exist_ok=True)
        with self._notes.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            noted = passed and passed | self._noted(file.read())
            file.truncate(0)
            file.write(json.dumps({"of": self._of, "passed": sorted(noted)}))
            if not passed:
                self._write(proven=False, why=f"{name} failed")
            elif noted == self._wanted:
                self._write(proven=True, why=f"all {len(noted)} cases passed")

    def _noted(self, text: str) -> set[str]:
        try:
            notes = json.loads(text)
        except ValueError:  # none yet, or cut off
            return set()
        return set(notes["passed"]) & self._wanted if notes["of"] == self._of else set()

    def _write(self, *, proven: bool, why: str) -> None:
        try:
            listed = json.loads(self._proven.read_text())
        except (OSError, ValueError):
            listed = []
        others = [each for each in listed if not self._here.items() <= each.items()]
        if proven or others != listed:
            entry = [self._here | {"date": f"{datetime.now(UTC):%Y-%m-%d}"}] if proven else []
            text = json.dumps(sorted([*others, *entry], key=lambda each: sorted(each.items())), indent=1) + "\n"
            self._proven.write_text(text)
            self._tell(f"{why}: {self._proven.name} is now\n{text}")
