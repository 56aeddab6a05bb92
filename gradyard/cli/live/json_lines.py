"""What happens to a job or a batch as lines of JSON, for programs."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import typer

from gradyard.cli.output.standard_streams import shows_every_letter
from gradyard.client.live.watching import OF_A_BATCH, OF_A_JOB
from gradyard.shapes.base import Answer

E = TypeVar("E", bound=Answer)

NAMES = {shape: str(name) for name, shape in (OF_A_JOB | OF_A_BATCH).items()}
"""What the service calls each of them."""


def print_messages(events: Iterable[E]) -> E:
    """Prints each of them as it comes, one a line, with its name as `event`, and returns the last one."""
    last: E | None = None
    for last in events:
        print_line({"event": NAMES[type(last)], **last.as_json()})
    assert last is not None, "the service ends no stream without a last message"
    return last


def print_line(value: Mapping[str, Any]) -> None:
    """Prints an object on one line."""
    typer.echo(json.dumps(value, ensure_ascii=not shows_every_letter(sys.stdout)))
