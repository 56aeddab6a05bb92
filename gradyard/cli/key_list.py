"""A file of names for many API keys: a name on each line, or CSV with the columns name, project, scopes."""

import csv
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gradyard.cli.errors import BadUsage
from gradyard.client.errors import CannotWrite
from gradyard.jobs.errors import Refused
from gradyard.jobs.submission.requests.keys import read_key_request
from gradyard.shapes import ApiKey, NewApiKey

COLUMNS = ("name", "project", "scopes")


@dataclass(frozen=True)
class WantedKey:
    """A key to create; `scopes` None: the default ones."""

    name: str
    project: str
    scopes: list[str] | None

    def __str__(self) -> str:
        return f"{self.name} of {self.project}"


def read_names(path: Path, project: str | None, scopes: list[str] | None) -> list[WantedKey]:
    """The keys that the file asks for; `project` and `scopes` are for lines without their own.

    Empty lines, lines that begin with # and a first line `name,…` are skipped. Raises BadUsage with the line's number
    where one is not valid or is there twice.
    """
    wanted: dict[tuple[str, str], int] = {}
    keys: list[WantedKey] = []
    for number, cells in _rows(path):
        where = f"{path}, line {number}"
        if len(cells) > len(COLUMNS):
            raise BadUsage(f"{where}: {len(cells)} columns; there are {', '.join(COLUMNS)}")
        name, own_project, own_scopes = (*cells, "", "")[:3]
        key = WantedKey(name, own_project or project or "default", re.findall(r"[^\s,;]+", own_scopes) or scopes)
        _check(key, where)
        if first := wanted.get((key.name, key.project)):
            raise BadUsage(f"{where}: {key} is in line {first} already")
        wanted[key.name, key.project] = number
        keys.append(key)
    if not keys:
        raise BadUsage(f"{path} has no names")
    return keys


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, skipinitialspace=True)
            for cells in reader:
                cells = [cell.strip() for cell in cells]
                is_header = reader.line_num == 1 and [cell.lower() for cell in cells] == list(COLUMNS[: len(cells)])
                if any(cells) and not cells[0].startswith("#") and not is_header:
                    yield reader.line_num, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadUsage(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from None


def _check(key: WantedKey, where: str) -> None:
    asked = {"name": key.name, "project": key.project} | ({"scopes": key.scopes} if key.scopes else {})
    try:
        read_key_request(json.dumps(asked).encode())
    except Refused as refused:
        raise BadUsage(f"{where}: {refused}") from None


def refuse_names_in_use(wanted: list[WantedKey], there: list[ApiKey]) -> None:
    """Raise BadUsage where a live key of one of these names is there: nothing was created yet."""
    live = {(key.name, key.project) for key in there if key.state == "live"}
    if taken := [str(key) for key in wanted if (key.name, key.project) in live]:
        more = f" and {len(taken) - 5} more" if len(taken) > 5 else ""
        raise BadUsage(f"nothing was created: there are keys already for {', '.join(taken[:5])}{more}")


class KeyFile:
    """The created keys as CSV, a line as soon as each is made: none is lost when a later one fails."""

    def __init__(self, out: IO[str]) -> None:
        self._out, self._csv = out, csv.writer(out, lineterminator="\n")
        self._csv.writerow((*COLUMNS, "key"))

    @classmethod
    def create(cls, path: Path) -> "KeyFile":
        """A new file that its owner alone can read. Raises CannotWrite, also where there is one of that name."""
        try:
            return cls(os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"))
        except OSError as error:
            raise CannotWrite(f"{path} cannot be written ({error.strerror or error}); nothing was created") from None

    def add(self, key: NewApiKey) -> None:
        """Write a key down, all the way to the file."""
        self._csv.writerow((key.name, key.project, " ".join(key.scopes), key.key))
        self._out.flush()

    def close(self) -> None:
        """Close the file."""
        self._out.close()
